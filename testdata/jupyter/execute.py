"""Executes a notebook as Jupyter does: execute.py NOTEBOOK RESULT."""
import os
import sys

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
folder = os.path.dirname(os.path.abspath(sys.argv[1]))
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
nbformat.validate(notebook)
nbformat.write(notebook, sys.argv[2])
