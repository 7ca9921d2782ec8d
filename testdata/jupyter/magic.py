"""Uses the cell magic %%occlude in IPython, in the folder of the examples."""
import os
import signal
import threading
import unittest.mock

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
    assert str(error).startswith("cell:2:6: error: there is no setting") and "\n       ^~~~~~\n" in str(error), error
# A cell may be long, and have any letters in it.
assert run("-- é" + "x" * 300_000 + "\nSELECT 'é' AS e")[0]["e"] == "é"
try:
    run("SHOW threads; OCCLUDE 'a.png")
    raise AssertionError("an open text is closed")
except UsageError as error:
    assert str(error).startswith("cell:1:23: error:"), error
# What else there is comes as rows, or as what JSON makes of it.
assert run("""BENCHMARK (RUNS 1, WARMUP 0) OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 104;""")[0]["plan"]
assert run("""EXPLAIN OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 104;""")["version"]
left_out = run("""OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 104 WHERE x > 0;""")
assert numpy.isnan(left_out[:, 0]).all() and not numpy.isnan(left_out[:, 1:]).any()
# A cell that is run again is remembered once, and as often as it must be.
again = """CREATE OR REPLACE MODEL again FROM 'models/chest.onnx'; SET threads = 2;"""
before = len(shell.magics_manager.registry["Occlude"].remembered)
for _ in range(3):
    run(again)
assert len(shell.magics_manager.registry["Occlude"].remembered) == before + 2
run("DROP MODEL again; RESET threads;")
run(again)
run("DROP MODEL again;")
assert run("SHOW threads;") == [{"threads": "2"}]
# Other formats are shown.
assert run("SET format = csv; SHOW threads; RESET format") is None
# Of a heat map that is interrupted what is known by then is kept.
interrupt = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
interrupt.start()
try:
    run("""OCCLUDE 'images/nodule.png' USING "my; model" STRIDE 1 WITH (plan = 'full');""", "partial")
    raise AssertionError("an interrupted cell goes on")
except KeyboardInterrupt as error:
    assert "interrupted at image" in error._render_traceback_()[0], error
partial = shell.user_ns["partial"]
assert partial.shape == (209, 209) and numpy.isnan(partial).any() and not numpy.isnan(partial).all()
# Where there is no program it says so.
with unittest.mock.patch.dict(os.environ, OCCLUDE="nowhere/occlude"):
    try:
        run("SHOW threads;")
        raise AssertionError("a program is run that is not there")
    except UsageError as error:
        assert "no program nowhere/occlude" in str(error), error
# What failed is not remembered.
try:
    run("CREATE MODEL other FROM 'nowhere.onnx';")
except UsageError:
    pass
assert run("SHOW MODELS;")[0]["name"] == "my; model"
shell.run_line_magic("occlude_forget", "")
assert run("SHOW MODELS;") == []
