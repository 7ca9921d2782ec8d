"""The cell magic %%occlude, for those who stay in Python.

    %load_ext occlude_magic

    %%occlude heat
    CREATE OR REPLACE MODEL chest FROM 'models/chest.onnx' WITH (labels = 'models/chest.labels.txt');
    OCCLUDE 'images/nodule.png' USING chest STRIDE 8;

runs the statements with the program occlude. The cell's value, kept as `heat` if a name
is given, is its heat map as a NumPy array: the probability p by row and column of
positions, with several classes by class first, NaN where WHERE left a position out. Of
several heat maps, or images, it is the list in their order; of a cell without any, the
last table as a list of dicts, which pandas.DataFrame takes.

Each cell is a run of its own, before which the statements CREATE MODEL, DROP MODEL, SET
and RESET of earlier cells are run again. Python's variables are the program's: :'image'
is the variable image as a text, :stride a number.

The program is found in PATH, or where the environment variable OCCLUDE says.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

import numpy
from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

# A statement: strings, names and comments hide the semicolons in them.
STATEMENT = re.compile(r"""(?:'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/|[^;'"])+;?""", re.S)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
# What a session remembers.
REMEMBERED = re.compile(r"\s*(CREATE\s+(OR\s+REPLACE\s+)?MODEL|DROP\s+MODEL|SET|RESET)\b", re.I)
DROPPING = re.compile(r"\s*DROP\b", re.I)
VARIABLE = re.compile(r":['\"]?([A-Za-z_]\w*)")

INTERRUPTED = 130  # the program's exit status


class Interrupted(KeyboardInterrupt):
    """A cell was interrupted; value is what was known by then, None if nothing."""

    def __init__(self, said, value):
        super().__init__(said)
        self.value = value

    def _render_traceback_(self):  # what IPython shows: where in this file it was is of no interest
        return str(self).splitlines() or ["interrupted"]


@magics_class
class Occlude(Magics):
    def __init__(self, shell):
        super().__init__(shell)
        self.remembered = []

    @cell_magic
    def occlude(self, line, cell):
        """Run statements; %%occlude NAME keeps what the last one returns."""
        name = line.strip()
        if name and not name.isidentifier():
            raise UsageError("usage: %%occlude [NAME]")
        try:
            value = self.run(cell)
        except Interrupted as interrupted:
            if name and interrupted.value is not None:
                self.shell.user_ns[name] = interrupted.value
            raise
        if name:
            self.shell.user_ns[name] = value
            return None
        return value

    @line_magic
    def occlude_forget(self, line):
        """Forget the models and settings of earlier cells."""
        self.remembered = []

    def run(self, cell):
        with tempfile.TemporaryDirectory() as folder:
            command = [os.environ.get("OCCLUDE", "occlude"), "--format", "json", "--arrays", folder]
            for variable in set(VARIABLE.findall(cell)) & set(self.shell.user_ns):
                command += ["-v", f"{variable}={self.shell.user_ns[variable]}"]
            command += ["--command=" + "\n".join(self.remembered), "--file=-"]
            try:
                said, printed, status = execute(command, cell + "\n;")  # the last statement can do without a semicolon
            except FileNotFoundError:
                raise UsageError(
                    f"there is no program {command[0]}: it is looked for in PATH, or where the environment variable OCCLUDE says"
                ) from None
            except OSError as error:
                raise UsageError(f"occlude cannot be run: {error}") from None
            said = re.sub(r"^stdin:", "cell:", said.strip(), flags=re.M)
            if status == INTERRUPTED:
                raise Interrupted(said, value_of(printed))
            if status:
                raise UsageError(said)
            if said:  # warnings
                print(said, file=sys.stderr)
            value = value_of(printed)
        for statement in STATEMENT.findall(cell):
            if REMEMBERED.match(COMMENT.sub(" ", statement)):
                self.remember(statement.strip().rstrip(";") + "\n;")
        return value

    def remember(self, statement):
        """Keep a statement. One that it repeats goes, for cells are run many times, unless a
        model was dropped in between: then both are needed."""
        dropped = max((i for i, s in enumerate(self.remembered) if DROPPING.match(COMMENT.sub(" ", s))), default=-1)
        self.remembered = [s for i, s in enumerate(self.remembered) if i <= dropped or s != statement] + [statement]


def execute(command, text):
    """What a program says and prints of the text it is given, and its exit status."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
        given.write(text)
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        try:
            printed, said = process.communicate()
        except KeyboardInterrupt:
            # Jupyter and terminals interrupt the program, too, and a second time would end
            # it without what it knows by then. Others have it done here.
            try:
                printed, said = process.communicate(timeout=2)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                printed, said = process.communicate()
            return said, printed, INTERRUPTED
        return said, printed, process.returncode
    finally:
        process.kill()


def value_of(text):
    """What a cell returns, of the JSON values that the program printed; other formats,
    which a cell may SET or ask for, are shown."""
    decoder, values, rest = json.JSONDecoder(), [], text
    try:
        while rest := rest.lstrip():
            value, end = decoder.raw_decode(rest)
            values.append(value)
            rest = rest[end:]
    except json.JSONDecodeError:
        print(text, end="")
        return None
    maps = [numpy.load(v["array"]) for v in values if isinstance(v, dict) and "array" in v]
    if maps:
        return maps[0] if len(maps) == 1 else maps
    return values[-1] if values else None


def load_ipython_extension(shell):
    shell.register_magics(Occlude)
