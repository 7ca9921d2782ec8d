"""Uses the cell magic %%occlude in IPython, in the folder of the examples."""
import numpy
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "occlude_magic")


def run(cell, line=""):
    return shell.run_cell_magic("occlude", line, cell)


# Models and settings last; semicolons in strings, names and comments end nothing.
assert run("""-- it's a remark; no more
CREATE MODEL "my; model" FROM 'models/chest.onnx' /* ; */ WITH (labels = 'models/chest.labels.txt', mean = 0.3, std = 0.27); SET threads = 1;""") is None
assert run("SHOW threads;") == [{"threads": "1"}]
heat = run("""OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 16 INTO 'heat.npy'""")
assert heat.shape == (14, 14) and heat.dtype == numpy.float32
assert numpy.array_equal(heat, numpy.load("heat.npy"))
assert run("""OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 104 FOR TOP 2;""").shape == (2, 3, 3)
# Python's variables are the program's.
shell.user_ns.update(image="images/cavity.png", stride=104)
assert run("""OCCLUDE :'image' USING "my; model" STRIDE :stride;""", "kept") is None
assert shell.user_ns["kept"].shape == (3, 3)
several = run("""OCCLUDE 'images/nodule*.png' USING "my; model" STRIDE 208;""")
assert [m.shape for m in several] == [(2, 2), (2, 2)]
rows = run("""PREDICT 'images/nodule.png' USING "my; model" TOP 1;""")
assert rows[0]["class"] == "nodule" and 0.5 < rows[0]["p"] < 1
try:
    run("SHOW threads;\nSHOW wibble;")
    raise AssertionError("a wrong statement is run")
except UsageError as error:
    assert "2:6: error: there is no setting" in str(error) and "^~~~~~" in str(error), error
# What failed is not remembered.
try:
    run("CREATE MODEL other FROM 'nowhere.onnx';")
except UsageError:
    pass
assert run("SHOW MODELS;")[0]["name"] == "my; model"
shell.run_line_magic("occlude_forget", "")
assert run("SHOW MODELS;") == []
