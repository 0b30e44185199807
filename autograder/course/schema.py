"""From YAML to the model: the fields of a frozen struct are the schema of its mapping.

Each fault is complained about with its line, and reading goes on with a blank value, so one run shows all of them. A field named
`line` is never a key: it gets the line on which the mapping begins.
"""

import math
import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from autograder.course.strict_yaml import INVALID, Complain, Node

T = TypeVar("T")
ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_SHAPES: dict[Any, tuple[str, tuple[type, ...]]] = {
    str: ("text", (str,)),
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    tuple: ("a list", (list,)),
    dict: ("a mapping", (dict,)),
    datetime: ("a time, like 2026-11-20 23:59+01:00", (str,)),
    NoneType: ("nothing", (NoneType,)),
}


def read(node: Node, kind: type[T], complain: Complain, owner: str = "") -> T:
    """Return `node` as `kind`: a struct, tuple[X, ...], dict[str, X], a Literal, a union, or a plain type. Whole numbers stay int.

    Every complaint begins with `owner`, like "question `fresh-step`: `points`".
    """
    shape: Any = kind
    if node.value is INVALID:
        node, complain = Node(None, node.line), _silent
    result: T = _READERS.get(_shape(shape), _plain)(node, kind, complain, owner)
    return result


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a fix for an unknown word: the most similar known one, or what to do `otherwise`."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else otherwise


@cache
def _shape(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return Struct
    origin = get_origin(kind)
    return Union if origin is UnionType else origin or kind


def _fits(node: Node, kind: Any) -> bool:
    shape = _shape(kind)
    types = (dict,) if shape is Struct else (str,) if shape is Literal else _SHAPES[shape][1]
    return isinstance(node.value, types) and (isinstance(node.value, bool) <= (shape is bool))


def _complain_of_kind(node: Node, wanted: str, complain: Complain, owner: str) -> None:
    owner = owner or "this file"
    if node.value is None:
        complain(node.line, f"{owner} is empty", f"write {wanted}" + (", or remove the key" if "`" in owner else ""))
    else:
        fix = "put it in quotes" if wanted == "text" and not isinstance(node.value, list | dict) else f"write {wanted}"
        complain(node.line, f"{owner} should be {wanted}, and is {_described(node.value)}", fix)


def _described(value: Any) -> str:
    if isinstance(value, int | float):
        return f"`{str(value).lower()}`" if isinstance(value, bool) else f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else f"the text `{value[:40]}`"


def _plain(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    if not _fits(node, kind):
        _complain_of_kind(node, _SHAPES[kind][0], complain, owner)
        return None if kind is NoneType else kind()
    if isinstance(node.value, float) and not math.isfinite(node.value):
        complain(node.line, f"{owner} is too large", "write a number that a float can hold")
    return node.value


def _moment(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    wanted = _SHAPES[datetime][0]
    if not _fits(node, datetime):
        _complain_of_kind(node, wanted, complain, owner)
        return datetime.min
    try:
        return datetime.fromisoformat(node.value)
    except ValueError:
        complain(node.line, f"{owner} should be {wanted}, and is {_described(node.value)}", "write the day, the time, and the zone")
        return datetime.min


def _literal(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    words = get_args(kind)
    if node.value not in words:
        complain(node.line, f"{owner} is {_described(node.value) if node.value is not None else 'empty'}",
                 did_you_mean(str(node.value), words, f"write one of {', '.join(words)}"))  # fmt: skip
        return ""  # none of the words, so that nothing that depends on them is checked
    return node.value


def _union(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    fitting = [alternative for alternative in get_args(kind) if _fits(node, alternative)]
    if len(fitting) > 1:  # a struct, or a mapping of them
        of_mappings = bool(node.value) and all(isinstance(one.value, dict) for one in node.value.values())
        fitting = [alternative for alternative in fitting if (_shape(alternative) is dict) == of_mappings]
    if fitting:
        return read(node, fitting[0], complain, owner)
    wanted = [_SHAPES[_shape(alternative)][0] for alternative in get_args(kind) if alternative is not NoneType]
    _complain_of_kind(node, " or ".join(wanted), complain, owner)
    return read(Node(None, node.line), kind, _silent) if NoneType in get_args(kind) else ""


def _tuple(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    if not _fits(node, tuple):
        _complain_of_kind(node, "a list", complain, owner)
        return ()
    item_kind = get_args(kind)[0]
    items = tuple(read(item, item_kind, complain, f"{owner}, item {number}") for number, item in enumerate(node.value, 1))
    if _shape(item_kind) is Struct and "id" in item_kind.__struct_fields__:
        _complain_of_repeats(items, node.value, complain)
    return items


def _complain_of_repeats(items: tuple[Any, ...], nodes: list[Node], complain: Complain) -> None:
    lines: dict[str, int] = {}
    for item, node in zip(items, nodes, strict=True):
        if item.id and item.id in lines:
            name = type(item).__name__.lower()
            complain(node.line, f"{name} `{item.id}` is here and on line {lines[item.id]}", "give one of them another id")
        lines.setdefault(item.id, node.line)


def _dict(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    if not _fits(node, dict):
        _complain_of_kind(node, "a mapping", complain, owner)
        return {}
    start = f"{owner}, " if owner else ""
    return {key: read(value, get_args(kind)[1], complain, f"{start}`{key}`") for key, value in node.value.items()}


def _struct(node: Node, kind: Any, complain: Complain, owner: str) -> Any:
    if not _fits(node, dict):
        _complain_of_kind(node, "a mapping", complain, owner)
        return read(Node({}, node.line), kind, _silent)
    known, name = _keys_of(kind), node.value.get("id")
    if "id" in known and name and isinstance(name.value, str):
        owner = f"{kind.__name__.lower()} `{name.value}`"
    start = f"{owner}: " if owner else ""
    for key in [key for key in node.value if key not in known]:
        complain(node.value[key].line, f"{start}there is no key `{key}`", did_you_mean(key, known, f"the keys are {', '.join(known)}"))
    found = {name: _field(node, field, complain, start) for name, field in known.items() if name in node.value or field.required}
    if "line" in kind.__struct_fields__:
        found["line"] = node.line
    if "id" in found and found["id"] and not ID.fullmatch(found["id"]):
        complain(node.value["id"].line, f"{start}an id is made of small letters, digits and hyphens", "rename it, like `a-short-name`")
    return kind(**found)


@cache
def _keys_of(kind: Any) -> dict[str, FieldInfo]:
    """Return a struct's keys; cached, since msgspec resolves the types each time, which took half the time of reading a course."""
    return {field.name: field for field in fields(kind) if field.name != "line"}


def _field(node: Node, field: FieldInfo, complain: Complain, start: str) -> Any:
    if field.name in node.value:
        return read(node.value[field.name], field.type, complain, f"{start}`{field.name}`")
    complain(node.line, f"{start}`{field.name}` is missing", f"add `{field.name}: ...`")
    return field.default if field.default is not NODEFAULT else read(Node(None, node.line), field.type, _silent)


def _silent(line: int, problem: str, fix: str) -> None:
    """Ignore a complaint: the fault was reported already."""


_READERS: dict[Any, Any] = {Struct: _struct, tuple: _tuple, dict: _dict, datetime: _moment, Literal: _literal, Union: _union}
