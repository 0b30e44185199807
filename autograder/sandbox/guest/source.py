"""Read a submission as Python, and run it statement by statement, inside the guest, where malicious text does no harm.

A file is one part, a notebook's code cells are one each. A statement that fails or takes too long costs what it defines and no more: a
right file may begin with an import that nothing uses, and end with a plot, a test, a long experiment or `exit()`.

Line magics and shell lines are dropped, also behind `=`, and in a notebook that was saved as a .py. A cell that starts with `%%time` keeps
its body; with most other cell magics it is dropped. Cells that nbgrader locks are the course's own tests and are dropped, too.
"""

import __future__

import ast
import contextlib
import json
import linecache
import math
import os
import re
import signal
import sys
import time
import types
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

_MAGIC = re.compile(r"^(?P<indent>\s*)(?P<target>[\w.,\[\]' ]+=\s*)?(!|%%?(?=[A-Za-z]))")
_FENCE = re.compile(r"^\s*(```|~~~)\s*\w*\s*$")
_FOREIGN = re.compile(r"<{7}|={7}|>{7}|>>>|\.\.\. ")  # what Git, or a session of Python's, puts before lines
_HELP = re.compile(r"^\s*(\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")
_KEPT = re.compile(r"\s*%%(time|timeit|capture|writefile\b.*\.py$)\b")

# What is not run any more in a part in which a statement failed: it defines nothing, and may rely on what failed.
EXPERIMENTS = (ast.Expr, ast.Assert, ast.Raise, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Match)
# What a web page, a PDF or a word processor writes in place of a space, a quote or nothing.
AS_TYPED = {ord(found): typed for typed, all_found in {
    " ": "\xa0\u2002\u2003\u2009\u202f\u3000", "": "\u200b\u200c\u200d\u2060\ufeff\xad", '"': "“”„", "'": "‘’‚", "-": "−",
}.items() for found in all_found}  # fmt: skip
METHODS = (types.FunctionType, staticmethod, classmethod)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TICK = 0.02  # seconds of CPU time between two looks at how long a statement takes
NAMES = 200
USED = 20  # names listed of what one function uses
LONGEST = 0.8  # of the time for loading: what is left is for the rest of the file


class Part(NamedTuple):
    """Some Python, by the name that it has in a traceback."""

    name: str
    text: str


def parts(text: str, name: str, *, notebook: bool) -> list[Part]:
    """Return a file as one part, or a notebook's code cells. Raise `ValueError`, saying why, if the text is not a notebook."""
    return list(cells(text)) if notebook else [Part(name, text)]


def cells(text: str) -> Iterator[Part]:
    """Yield the code cells as "cell N"; they are counted from 1, as the reader sees them."""
    try:
        code = [cell for cell in _cells(json.loads(text)) if cell["cell_type"] == "code"]
        found = ["" if cell.get("metadata", {}).get("nbgrader", {}).get("locked") else _source(cell) for cell in code]
    except RecursionError:
        raise ValueError("not a notebook: nested too deeply") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not a notebook: the file is cut short or is not Jupyter's JSON") from None
    for number, cell in enumerate(found, 1):
        yield Part(f"cell {number}", _without_cell_magic(cell))


def _cells(notebook: Any) -> list[Any]:
    """Return all cells; before version 4 of the format, they are in worksheets."""
    return notebook["cells"] if "cells" in notebook else [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]


def _source(cell: Any) -> str:
    return "".join(cell["source"] if "source" in cell else cell["input"])


def _without_cell_magic(cell: str) -> str:
    lines = cell.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if not first.lstrip().startswith("%%"):
        return cell
    return cell.replace(first, "", 1) if _KEPT.match(first) else ""


def statements(part: Part) -> list[ast.stmt]:
    """Parse a part into its statements, each import of a list of modules apart. Raise `SyntaxError` if it is not Python."""
    body = _parsed(part).body
    return [one for node in body for one in _imports(node)]


def _parsed(part: Part) -> ast.Module:
    try:
        return ast.parse(part.text, part.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        plain = without_magics(part.text)
        for text in (plain, plain.translate(AS_TYPED)):
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                parsed = ast.parse(text, part.name)
                if text != plain:
                    print("Some spaces, quotes or signs in this file are none of Python's. They were read as if you had typed them.")
                return parsed
        if isinstance(error, SyntaxError) and (marks := _FOREIGN.match((error.text or "").lstrip())):
            error.msg += f" {marks[0]}"
        raise


def _imports(node: ast.stmt) -> list[ast.stmt]:
    if not isinstance(node, ast.Import):
        return [node]
    return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]


def without_magics(text: str) -> str:
    """Blank what only IPython understands, and keep the lines' numbers."""
    return "\n".join(_line(line) for line in _joined(text.split("\n")))


def _joined(lines: list[str]) -> list[str]:
    """Blank the continuation lines of a magic that ends in a backslash."""
    kept, dropping = [], False
    for line in lines:
        magic = bool(_MAGIC.match(line))
        kept.append("" if dropping else line)
        dropping = (dropping or magic) and line.endswith("\\")
    return kept


def _line(line: str) -> str:
    magic = _MAGIC.match(line)
    if magic:
        target = magic["target"] or ""
        return f"{magic['indent']}{target}[]" if target else f"{magic['indent']}pass"
    return "pass" if _HELP.match(line) or _FENCE.match(line) else line


# ---- running


class TookTooLong(BaseException):
    """A statement was interrupted so that the rest of the file can run."""


class Loader:
    """Runs sources; one in a guest. `start_clock` lets it interrupt a statement that takes nearly all the time that there is."""

    def __init__(self) -> None:
        self._limit = 0.0  # of the CPU time, while a statement runs that may be interrupted
        self._defined: dict[str, tuple[ast.AST, Any]] = {}

    def start_clock(self) -> None:
        """Look at the time every now and then, from now on. Windows has no timers."""
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGPROF, self._look)
            signal.setitimer(signal.ITIMER_PROF, TICK, TICK)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if self._limit and time.process_time() > self._limit:
            raise TookTooLong("it took nearly all the time that a file may take")

    def run(self, parts: list[Part], namespace: dict[str, Any], seconds: float) -> Iterator[BaseException]:
        """Run parts in a namespace and yield what their statements raise. `exit()` ends its part: after its last definition, rightly."""
        self._defined = {}
        limit, leave = time.process_time() + LONGEST * (seconds or math.inf), os._exit
        os._exit = sys.exit  # type: ignore[assignment]
        try:
            for part in parts:
                yield from self._run(part, namespace, limit)
        finally:
            os._exit = leave

    def _run(self, part: Part, namespace: dict[str, Any], limit: float) -> Iterator[BaseException]:
        linecache.cache[part.name] = len(part.text), None, [line + "\n" for line in part.text.split("\n")], part.name
        try:
            rest, flags = statements(part), 0
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            yield error
            return
        skipping = False
        while rest:
            node, *rest = rest
            flags |= _future(node)
            if skipping and isinstance(node, EXPERIMENTS):
                continue
            try:
                self._limit = limit
                _execute(node, part.name, namespace, flags)
                if isinstance(node, DEFINITIONS):
                    self._defined[node.name] = node, namespace.get(node.name)
            except SystemExit as error:
                if rest or not any(map(callable, namespace.values())):
                    yield error
                return
            except BaseException as error:
                skipping = True
                yield error
            finally:
                self._limit = 0.0

    def covered(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """Return what was defined and then lost its name to its own result or another value: `alpha_bars = alpha_bars(betas)`.

        Where a definition calls such a name, it gets back what was defined.
        """
        defined = {name: one for name, (_, one) in self._defined.items()}
        covered = {name: one for name, one in defined.items() if name in namespace and _is_covered(one, namespace[name])}
        nodes = (inner for node, _ in self._defined.values() for inner in ast.walk(node)) if covered else ()
        called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        namespace.update({name: one for name, one in covered.items() if name in called})
        return covered


def _is_covered(defined: Any, now: Any) -> bool:
    return not callable(now) or (isinstance(defined, type) and isinstance(now, defined))


def _future(node: ast.stmt) -> int:
    names = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) and node.module == "__future__" else set()
    return sum(getattr(__future__, name).compiler_flag for name in names.intersection(__future__.all_feature_names))


def _execute(node: ast.stmt, name: str, namespace: dict[str, Any], flags: int) -> None:
    """Run one statement. A definition whose annotations need something that is not there is made without evaluating them."""
    try:
        exec(compile(ast.Module([node], []), name, "exec", flags, dont_inherit=True), namespace)
    except (NameError, AttributeError, TypeError):
        if not isinstance(node, DEFINITIONS):
            raise
        exec(compile(ast.Module([node], []), name, "exec", flags | __future__.annotations.compiler_flag, dont_inherit=True), namespace)


# ---- what was defined


def described(module: types.ModuleType, covered: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """List what can be called, and what each uses of the module and takes; the last ones, since own definitions come after imports.

    Methods are named alone: a student may have written a function as one.
    """
    known = [(name, value) for name, value in (vars(module) | covered).items() if callable(value) and not name.startswith("_")][-NAMES:]
    found = {name: {"uses": sorted(_used(value, module, set()) - {name})[:USED], "takes": _parameters(value)} for name, value in known}
    classes = [(name, value) for name, value in known if isinstance(value, type) and value.__module__ == module.__name__]
    methods = [f"{name}.{one}" for name, value in classes for one, what in vars(value).items() if isinstance(what, METHODS)]
    return found | {name: {} for name in methods if "._" not in name}


def _parameters(value: Any) -> list[str]:
    code = value.__code__ if isinstance(value, types.FunctionType) else None
    return list(code.co_varnames[: code.co_argcount])[:USED] if code and not code.co_posonlyargcount else []


def _used(value: Any, module: types.ModuleType, found: set[str]) -> set[str]:
    """Collect the names of the module's own functions and classes that the code of this one reaches."""
    decorated = vars(value).get("__wrapped__") if isinstance(value, types.FunctionType) else None
    methods = vars(value).values() if isinstance(value, type) and value.__module__ == module.__name__ else ()
    own = [part for part in (value, decorated, *methods) if isinstance(part, types.FunctionType) and part.__globals__ is vars(module)]
    for name in {name for part in own for name in _names(part.__code__)} - found:
        if isinstance(used := vars(module).get(name), types.FunctionType | type) and used is not value:
            found.add(name)
            _used(used, module, found)
    return found


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(part) for part in code.co_consts if isinstance(part, types.CodeType)))
