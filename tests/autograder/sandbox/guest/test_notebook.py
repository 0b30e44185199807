"""Reading notebooks: what is kept, what is dropped, and line numbers that stay."""

import json

import pytest

from autograder.sandbox.guest import notebook

CELLS = {
    "plain Python stays": ("x = 1\ny = x % 2", "x = 1\ny = x % 2"),
    "a line magic is dropped": ("%matplotlib inline\nx = 1", "pass\nx = 1"),
    "a shell line is dropped": ("!pip install torch\nx = 1", "pass\nx = 1"),
    "what a shell line gave is an empty list": ("files = !ls\nx = 1", "files = []\nx = 1"),
    "what a magic gave is an empty list": ("t = %timeit -o f()\nx = 1", "t = []\nx = 1"),
    "a shell line inside a block keeps the block": ("if True:\n    !ls\nx = 1", "if True:\n    pass\nx = 1"),
    "a question is dropped": ("np.cumprod?\nx = 1", "pass\nx = 1"),
    "%%time keeps its body": ("%%time\nx = 1", "\nx = 1"),
    "another cell magic drops its body": ("%%bash\nrm -rf /", ""),
    "a cell magic below empty lines": ("\n\n%%html\n<b>x</b>", ""),
    "a shell line over two lines is dropped whole": ("!pip install \\\n  torch\nx = 1", "pass\n\nx = 1"),
    "formatting over two lines is Python": ("print('%d'\n      % 3)", "print('%d'\n      % 3)"),
    "inequality is Python": ("a = 1\nb = a != 2", "a = 1\nb = a != 2"),
}


@pytest.mark.parametrize(("cell", "python"), CELLS.values(), ids=CELLS.keys())
def test_cells_become_python(cell, python):
    assert notebook.python(cell) == python


def test_code_cells_are_named_as_the_reader_counts_them():
    cells = [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}, {"cell_type": "markdown", "source": "hi"}, {"cell_type": "code", "source": "z = 3"}]
    assert list(notebook.cells(json.dumps({"cells": cells}).encode())) == [("cell 1", "x = 1\ny = 2"), ("cell 2", "z = 3")]


NOT_NOTEBOOKS = {
    "cut in half": (b'{"cells": [{"cell_type": "code", "sour', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "another JSON": (b"[1, 2]", "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "no bytes": (b"", "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "a cell that is no text": (b'{"cells": [{"cell_type": "code", "source": ["x = 1", {}]}]}', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "a cell that is a number": (b'{"cells": [{"cell_type": "code", "source": 7}]}', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "nested without end": (b'{"cells": ' + b"[" * 100_000, "not a notebook: nested too deeply"),
}


@pytest.mark.parametrize(("source", "message"), NOT_NOTEBOOKS.values(), ids=NOT_NOTEBOOKS.keys())
def test_what_is_no_notebook_is_told_in_words(source, message):
    with pytest.raises(ValueError) as caught:
        list(notebook.cells(source))
    assert str(caught.value) == message
