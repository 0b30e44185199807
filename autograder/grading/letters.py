"""Formulas of Python in the paper's letters: `(1 - bar) ** 0.5` is √(1 − ᾱ_t); and what stands where in them.

A lesson says in its `quantities.py` what names, entries of tables and calls are called (LETTERS). What it does not name has no letters, so
that no code is ever shown.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from autograder.sandbox.guest.frameworks import FRAMEWORKS

MODULES = "np", "math", *FRAMEWORKS
SKIPPED = "annotation", "returns", "decorator_list", "func", "ctx"


def text(node: ast.AST | str, letters: Mapping[str, str], strength: int = 0) -> str:
    """Write a formula in the paper's letters, in brackets if it binds less than `strength`; empty if there are none for a part of it."""
    if isinstance(node, str):
        return node
    made, own = _text(node, letters)
    return f"({made})" if made and own < strength else made


BINARY = {
    ast.Add: ("{} + {}", 1, 1, 1), ast.Sub: ("{} − {}", 1, 1, 2), ast.Mult: ("{}·{}", 2, 2, 2), ast.MatMult: ("{}·{}", 2, 2, 2),
    ast.Div: ("{}/{}", 2, 2, 3), ast.FloorDiv: ("{}/{}", 2, 2, 3),
}  # fmt: skip
COMPARED: dict[type, str] = {ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥"}


def _text(node: ast.AST, letters: Mapping[str, str]) -> tuple[str, int]:
    def joined(form: str, own: int, *parts: tuple[ast.AST, int]) -> tuple[str, int]:
        texts = [text(part, letters, strength) for part, strength in parts]
        return (form.format(*texts), own) if all(texts) else ("", own)

    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return letters.get(name, ""), 4
        case ast.Constant(value=int() | float() as value):
            return f"{value:.6g}", 4
        case ast.BinOp(base, ast.Pow(), ast.Constant(value=0.5)):
            return joined("√{}", 4, (base, 4))
        case ast.BinOp(base, ast.Pow(), ast.Constant(value=2)):
            return joined("{}²", 4, (base, 4))
        case ast.BinOp(a, op, b) if type(op) in BINARY:
            form, own, left, right = BINARY[type(op)]
            return joined(form, own, (a, left), (b, right))
        case ast.UnaryOp(ast.USub(), operand):
            return joined("−{}", 1, (operand, 2))
        case ast.Compare(a, [op], [b]) if type(op) in COMPARED:
            return joined(f"{{}} {COMPARED[type(op)]} {{}}", 0, (a, 1), (b, 1))
        case ast.Compare(a, [ast.IsNot()], [_]):
            return joined("{}", 4, (a, 0))
        case ast.Subscript(_, ast.Slice()):
            return letters.get(ast.unparse(node), ""), 4
        case ast.Subscript(ast.Call(ast.Name(name), [table]), index) if f"{name}[]" not in letters and f"{name}()" in letters:
            return _text(ast.Call(ast.Name(name), [ast.Subscript(table, index)], []), letters)  # 1 − ᾱ_t, not (1 − ᾱ)_t
        case ast.Subscript(value, index):
            form = letters.get(f"{called(value) if f'{called(value)}[]' in letters else table_of(node)}[]", "")
            at = text(index, letters).replace(" ", "")
            return (form.format(at if len(at) == 1 else f"{{{at}}}") if at else ""), 4
        case ast.Call() as call:
            form = letters.get(f"{called(call)}()", "")
            parts = [text(part, letters, 4) for part in arguments(call)]
            return (form.format(*parts) if all(part or f"{{{i}}}" not in form for i, part in enumerate(parts)) else ""), 4
    return "", 0


def listed(items: Iterable[str], word: str = "and") -> str:
    """List letters in a sentence: "x_t, ε̂ and z"."""
    *first, last = items
    return f"{', '.join(first)} {word} {last}" if first else last


# ---- what stands in a formula


def called(node: ast.AST) -> str:
    """Name the function or method that a call calls."""
    func = node.func if isinstance(node, ast.Call) else None
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def arguments(call: ast.Call) -> list[ast.expr]:
    """List the arguments of a call; the object of a method is the first."""
    return [*([call.func.value] if isinstance(call.func, ast.Attribute) and not is_module(call.func.value) else []), *call.args]


def is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in MODULES


def table_of(node: ast.AST) -> str:
    """Name the table that an entry is from, maybe by way of a method: `alpha_bars.double()[t]`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inside) | ast.Call(func=ast.Attribute(value=inside)):
            return table_of(inside)
    return ""


# ---- where it stands


class Place(NamedTuple):
    """Where a node is: a field of its owner and, if that is a list, its number there."""

    owner: ast.AST
    field: str
    number: int | None
    node: ast.AST


def places(root: ast.AST) -> Iterator[Place]:
    """Yield the place of every statement and expression below `root` that is evaluated when it runs."""
    for field, value in ast.iter_fields(root):
        for i, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, ast.AST) and (field not in SKIPPED or isinstance(item, ast.Attribute)):
                if field not in SKIPPED and isinstance(getattr(item, "ctx", ast.Load()), ast.Load):
                    yield Place(root, field, i if isinstance(value, list) else None, item)
                yield from places(item)


@contextmanager
def put(place: Place, *nodes: ast.AST, instead_of: int = 1) -> Iterator[None]:
    """Put other nodes in a place, for a while; in a list there may be several, instead of several."""
    before, i = getattr(place.owner, place.field), place.number
    setattr(place.owner, place.field, nodes[0] if i is None else [*before[:i], *nodes, *before[i + instead_of :]])
    try:
        yield
    finally:
        setattr(place.owner, place.field, before)
