"""Search what students get for what they must not: files of solutions/, and any line of its code."""

import ast
import gzip
import json
import re
from functools import cache
from pathlib import Path

from tests.courses import CLONE

TELLING = 16  # characters of a line that says something
BEGINNING = re.compile(rf"(?<!\w)(?=(.{{{TELLING}}}))")  # where one may begin, with its first characters


def code_lines(path):
    """List the lines of code of a Python file, without docstrings, comments, imports and the heads of functions."""
    silent = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef
    nodes = [node for node in _statements(ast.parse(path.read_bytes())) if not isinstance(node, silent) and not _is_text(node)]
    found = {_squeezed(_head(node)) for node in nodes}
    return {line for line in found if len(line) >= TELLING}


def _statements(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, ast.expr):
            yield from _statements(child)


def _head(node):
    """Write the first line of a statement, whose own statements are no longer needed then."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        if isinstance(getattr(node, name, None), list):
            setattr(node, name, [])
    return ast.unparse(node).split("\n")[0]


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _squeezed(text):
    return "".join(text.split())


def texts(path):
    """Give a file's text in all the ways it can be read: as it is, decompressed, a notebook's cells, and what a Python file says."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    text = data.decode("utf-8", errors="replace")
    yield text
    if path.suffix in (".ipynb", ".gz"):
        yield "\n".join(_strings(json.loads(text)))
    if path.suffix == ".py":
        yield ast.unparse(ast.parse(text))


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield "".join(one for one in value if isinstance(one, str))
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)


def public_lines(root):
    """List the lines of code that students are shown anyway: in starters, checks, props, and the engine that the notebook plays."""
    return set().union(*(code_lines(path) for top in (root / "exercises", CLONE / "autograder") for path in sorted(top.rglob("*.py"))))


def sentences(root):
    """Give the sentences that put misconceptions right: who makes a misconception is told which call is missing."""
    trees = [ast.parse(path.read_bytes()) for path in sorted((root / "solutions").glob("*/misconceptions/*.py"))]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    return "\n".join(_squeezed(ast.get_docstring(function) or "") for function in functions)


@cache
def telling_lines(root):
    """List the lines of code of solutions/ that are not public anyway, by their first characters."""
    known, told = public_lines(root), sentences(root)
    lines = set().union(*(code_lines(path) for path in sorted((root / "solutions").rglob("*.py")))) - known
    found: dict[str, list[str]] = {}
    for line in sorted(line for line in lines if line not in told):
        found.setdefault(line[:TELLING], []).append(line)
    return found


def leaks(place, root):
    """Name each file of `place` that is one of solutions/, or holds a line of its code that is not public anyway."""
    secret = {path.read_bytes(): path for path in sorted((root / "solutions").rglob("*")) if path.is_file() and path.stat().st_size > 50}
    telling = telling_lines(root)
    for path in sorted(one for one in Path(place).rglob("*") if one.is_file()):
        if path.read_bytes() in secret:
            yield f"{path.relative_to(place)} is {secret[path.read_bytes()].relative_to(root)}"
        squeezed = "\n".join(_squeezed(text) for text in texts(path))
        starts = telling.keys() & BEGINNING.findall(squeezed)
        held = (line for start in starts for line in telling[start])
        yield from (f"{path.relative_to(place)} holds {line}" for line in sorted(held) if line in squeezed and re.search(rf"(?<!\w){re.escape(line)}", squeezed))
