"""Reading a submission: what is kept of a notebook, and line numbers that stay; and running it, statement by statement."""

import ast
import json

import pytest

from autograder.sandbox.guest.source import Loader, Part, cells, parts, statements

# ---- text to Python

CELLS = {
    "a fence of Markdown is dropped": ("```python\nx = 1\n```", "pass\nx = 1\npass"),
    "spaces of a web page are spaces": ("if True:\n\xa0\xa0x\xa0= 1", "if True:\n  x = 1"),
    "quotes of a word processor are quotes": ("x = “1”, ‘2’", "x = \"1\", '2'"),
    "a minus of a formula is a minus": ("x = 2 − 1", "x = 2 - 1"),
    "what is invisible is nothing": ("\u200bx = 1\ufeff", "x = 1"),
    "but not in texts that Python reads": ("x = '\u200b“\xa0”'", "x = '\u200b“\xa0”'"),
    "plain Python stays": ("x = 1\ny = x % 2", "x = 1\ny = x % 2"),
    "a line magic is dropped": ("%matplotlib inline\nx = 1", "pass\nx = 1"),
    "a shell line is dropped": ("!pip install torch\nx = 1", "pass\nx = 1"),
    "what a shell line gave is an empty list": ("files = !ls\nx = 1", "files = []\nx = 1"),
    "what a magic gave is an empty list": ("t = %timeit -o f()\nx = 1", "t = []\nx = 1"),
    "a shell line inside a block keeps the block": ("if True:\n    !ls\nx = 1", "if True:\n    pass\nx = 1"),
    "a question is dropped": ("np.cumprod?\nx = 1", "pass\nx = 1"),
    "%%time keeps its body": ("%%time\nx = 1", "\nx = 1"),
    "so does a file of Python that is written": ("%%writefile forward.py\nx = 1", "\nx = 1"),
    "another file that is written is dropped": ("%%writefile notes.txt\nx = 1", ""),
    "another cell magic drops its body": ("%%bash\nrm -rf /", ""),
    "a cell magic below empty lines": ("\n\n%%html\n<b>x</b>", ""),
    "a shell line over two lines is dropped whole": ("!pip install \\\n  torch\nx = 1", "pass\n\nx = 1"),
    "formatting over two lines is Python": ("print('%d'\n      % 3)", "print('%d'\n      % 3)"),
    "inequality is Python": ("a = 1\nb = a != 2", "a = 1\nb = a != 2"),
    "modules that are imported together are imported one by one": ("import a, b as c", "import a\nimport b as c"),
}


def dumped(body):
    return [ast.dump(node, include_attributes=not isinstance(node, ast.Import)) for node in body]


@pytest.mark.parametrize(("cell", "python"), CELLS.values(), ids=CELLS.keys())
def test_cells_become_python(cell, python):
    """The same statements, on the same lines."""
    [part] = cells(json.dumps({"cells": [{"cell_type": "code", "source": cell}]}))
    assert dumped(statements(part)) == dumped(ast.parse(python).body)


def test_a_notebook_that_was_saved_as_a_file_loses_its_magics():
    text = "#!/usr/bin/env python\nget_ipython().system('pip install x')\n%matplotlib inline\n%%time\nx = 1"
    [part] = parts(text, "forward.py", notebook=False)
    assert [node.lineno for node in statements(part)] == [2, 3, 4, 5]


def test_code_cells_are_named_as_the_reader_counts_them():
    book = [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}, {"cell_type": "markdown", "source": "hi"}, {"cell_type": "code", "source": "z = 3"}]
    assert list(cells(json.dumps({"cells": book}))) == [("cell 1", "x = 1\ny = 2"), ("cell 2", "z = 3")]


def test_a_notebook_of_an_old_format_has_its_cells_in_worksheets():
    code = [{"cell_type": "code", "input": ["x = 1\n", "y = 2"], "language": "python"}, {"cell_type": "markdown", "source": "hi"}]
    assert list(cells(json.dumps({"nbformat": 3, "worksheets": [{"cells": code}]}))) == [("cell 1", "x = 1\ny = 2")]


NOT_NOTEBOOKS = {
    "cut in half": ('{"cells": [{"cell_type": "code", "sour', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "another JSON": ("[1, 2]", "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "no bytes": ("", "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "a cell that is no text": ('{"cells": [{"cell_type": "code", "source": ["x = 1", {}]}]}', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "a cell that is a number": ('{"cells": [{"cell_type": "code", "source": 7}]}', "not a notebook: the file is cut short or is not Jupyter's JSON"),
    "nested without end": ('{"cells": ' + "[" * 100_000, "not a notebook: nested too deeply"),
}


@pytest.mark.parametrize(("text", "message"), NOT_NOTEBOOKS.values(), ids=NOT_NOTEBOOKS.keys())
def test_what_is_no_notebook_is_told_in_words(text, message):
    with pytest.raises(ValueError) as caught:
        list(cells(text))
    assert str(caught.value) == message


# ---- running


def loaded(text, name="forward.py"):
    """Run a file; give what it defines, and what its statements raised, each as its kind and line."""
    namespace = {"__name__": "forward"}
    raised = list(Loader().run([Part(name, text)], namespace, 0))
    return namespace, [type(error).__name__ for error in raised]


RUN = {
    "a missing package that nothing uses": ("import nowhere\nx = 1", ["ModuleNotFoundError"]),
    "a missing package beside another": ("import nowhere, math\nx = int(math.cos(0))", ["ModuleNotFoundError"]),
    "a test that fails": ("assert False\nx = 1", ["AssertionError"]),
    "a call of one's own that fails": ("x = 1\nx / 0\n", ["ZeroDivisionError"]),
    "leaving at the end": ("def f(): return 1\nx = f()\nimport sys\nsys.exit(0)", []),
    "quit at the end": ("def f(): return 1\nx = f()\nquit()", []),
    "os._exit at the end": ("def f(): return 1\nx = f()\nimport os\nos._exit(1)", []),
    "what comes after a failure is no experiment any more": ("x = 1\n1 / 0\nprint(2 / 0)\nfor x in [2]: pass\nassert x == 2", ["ZeroDivisionError"]),
    "but imports, constants and definitions": ("1 / 0\nimport math\nx = 0\nx += math.ceil(0.5)\ndef f(): pass\nif f: pass", ["ZeroDivisionError"]),
    "leaving before anything is defined": ("x = 1\nexit()", ["SystemExit"]),
    "leaving before the end": ("x = 1\nexit()\nx = 2", ["SystemExit"]),
    "the main program": ("x = 1\nif __name__ == '__main__':\n    x = 2", []),
    "an interrupt": ("raise KeyboardInterrupt\nx = 1", ["KeyboardInterrupt"]),
    "an annotation that needs what is not there": ("def f(a: nowhere.Float) -> Gone: return a\nx = f(1)", []),
    "a class with such an annotation": ("class A:\n    x: Gone = 1\nx = A.x", []),
    "deferred annotations": ("from __future__ import annotations\ndef f(a: Gone): return a\nx = len(f.__annotations__)", []),
    "annotations that are there are evaluated": ("def f(a: int): return a\nx = f.__annotations__['a'](1)", []),
}


@pytest.mark.parametrize(("text", "kinds"), RUN.values(), ids=RUN.keys())
def test_a_statement_that_fails_costs_nothing_but_what_it_defines(text, kinds):
    namespace, raised = loaded(text)
    assert namespace["x"] == 1
    assert raised == kinds


COVERED = {
    "by its own result": ("def f(x): return [x]\nf = f(1)", "f"),
    "by an array of the same name": ("def f(x): return [x]\nf = 0.5", "f"),
    "by a loop's variable": ("def f(x): return [x]\nfor f in range(3): pass", "f"),
    "by an object of itself": ("class Net:\n    def __call__(self): pass\nNet = Net()", "Net"),
    "not by a wrapper": ("def f(x): return [x]\nf = f.__call__", ""),
    "not by another definition": ("def f(x): return [x]\nclass f: pass", ""),
    "not if it is deleted": ("def f(x): return [x]\ndel f", ""),
    "not if a local has its name": ("def f(x): return [x]\ndef g(f): f = f + 1; return f", ""),
}


@pytest.mark.parametrize(("text", "names"), COVERED.values(), ids=COVERED)
def test_what_lost_its_name_is_known(text, names):
    loader, namespace = Loader(), {}
    assert list(loader.run([Part("f.py", text)], namespace, 0)) == []
    assert list(loader.covered(namespace)) == names.split()


def test_a_covered_function_that_another_one_calls_gets_its_name_back():
    loader, namespace = Loader(), {}
    list(loader.run([Part("f.py", "def f(): return 1\ndef g(): return 2\ndef both(): return f() + g\nf, g = f(), g()")], namespace, 0))
    assert [one() for one in loader.covered(namespace).values()] == [1, 2]
    assert namespace["both"]() == 3


def test_what_is_no_python_runs_no_line():
    namespace, raised = loaded("x = 1\ndef f(:\n")
    assert "x" not in namespace
    assert raised == ["SyntaxError"]


def test_a_notebooks_other_cells_are_run_after_one_that_ends():
    namespace = {}
    book = [Part("cell 1", "exit()\nx = 2"), Part("cell 2", "def f(:"), Part("cell 3", "x = 1")]
    assert [type(error).__name__ for error in Loader().run(book, namespace, 0)] == ["SystemExit", "SyntaxError"]
    assert namespace["x"] == 1


def test_a_functions_source_can_be_read():
    """As `inspect.getsource` and what compiles functions do."""
    namespace, raised = loaded("import inspect\ndef f():\n    return 1\nx = inspect.getsource(f)", "a_file_of_this_test.py")
    assert (namespace["x"], raised) == ("def f():\n    return 1\n", [])
