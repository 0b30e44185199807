"""Strict YAML that keeps the line of every value.

A text becomes a tree of `Node`s: values with their lines. It is built from the parser's events, so that deep nesting and aliases are
refused before they cost anything. Complaints name what YAML 1.1 reads in a surprising way (`no`, `1e-6`, `012`, `12:30`, a repeated
key); the caller collects or raises them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any

import yaml

Complain = Callable[[int, str, str], None]
"""Takes a line, the problem, and one fix."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser, if available, is ten times as fast
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][-+]?[0-9]{1,4})?")
_QUOTE = "put the text in quotes, and indent with spaces"
_LOOK = "look at this line and the one above: a missing space after `:`, a quote or bracket left open, or an indent that is off"

INVALID = object()
"""Takes the place of a value that was complained about, so that it is complained about once."""


@dataclass(frozen=True)
class Node:
    """A value (text, number, bool, None, a list of nodes, or a dict from text to nodes) and its line, or its key's if it has one."""

    value: Any
    line: int


class TooDeep(Exception):
    """Values are nested more deeply than the reader allows."""


def load(text: str, complain: Complain, *, strict: bool = True, depth: int = 16, repeats: bool = False, above: int = 0) -> Node:
    """Read one YAML document; an empty one is None. After a syntax error the whole document is INVALID.

    If `strict` is false, as for students, numbers with a point or an exponent are Decimals, which keep the digits as written, and
    everything but numbers, `true`, `false` and `null` is text. With `repeats`, a key may stand twice with the same value. There
    are `above` lines before the text.
    """
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER), complain, strict, repeats, above).document(depth)
    except TooDeep as deep:
        complain(int(deep.args[0]), f"this is nested more than {depth} levels deep", "use fewer levels")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        quote = "token" in str(error.problem) and "character" in str(error.problem)
        complain(above + (mark.line + 1 if mark else 1), f"this is not YAML: {error.problem or error.context}", _QUOTE if quote else _LOOK)
    except yaml.YAMLError:
        complain(above + 1, "this is not YAML: it holds a character that text cannot hold", "save the file again as plain UTF-8 text")
    return Node(INVALID, 1)


def plain(node: Node) -> Any:
    """Return the tree without lines."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def read_plainly(text: str) -> Any:
    """Read what another program wrote, as texts, lists and mappings; what cannot be read is left out."""
    found = plain(load(text, lambda line, problem, fix: None, strict=False))
    return None if found is INVALID else found


@dataclass(frozen=True)
class _Reader:
    """Reads the events of one document."""

    events: Iterator[Any]
    complain: Complain
    strict: bool
    repeats: bool
    above: int

    def line(self, event: Any) -> int:
        return self.above + int(event.start_mark.line) + 1

    def document(self, depth: int) -> Node:
        root, seen = Node(None, 1), False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self.complain(self.line(event), "a second document begins here", "keep one document: remove the `---`")
                    break
                seen, root = True, self.node(next(self.events), depth)
        return root

    def node(self, event: Any, depth: int) -> Node:
        line = self.line(event)
        if isinstance(event, yaml.AliasEvent):
            self.complain(line, f"`*{event.anchor}` repeats another place", "write the value out: aliases are not read")
            return Node(INVALID, line)
        self.check_plainness(event)
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.scalar(event) if event.implicit[0] else event.value, line)
        if depth == 0:
            raise TooDeep(line)
        return Node(self.mapping(depth) if isinstance(event, yaml.MappingStartEvent) else self.sequence(depth), line)

    def check_plainness(self, event: Any) -> None:
        if event.anchor is not None:
            self.complain(self.line(event), f"`&{event.anchor}` names this place", "write values out: anchors are not read")
        if event.tag is not None:
            self.complain(self.line(event), f"the tag `{event.tag}` is not read here", "remove it")

    def sequence(self, depth: int) -> list[Node]:
        items = takewhile(lambda event: not isinstance(event, yaml.SequenceEndEvent), self.events)
        return [self.node(event, depth - 1) for event in items]

    def mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, line = self.key(event, depth), self.line(event)
            value = self.node(next(self.events), depth - 1)
            if key in entries and not (self.repeats and plain(value) == plain(entries[key])):
                problem = f"the key `{key}` is here and on line {entries[key].line}"
                self.complain(line, problem, "keep one of them: YAML would silently take the last")
            elif key is not None:
                entries[key] = Node(value.value, line)
        return entries

    def key(self, event: Any, depth: int) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, depth - 1)
            self.complain(self.line(event), "a key is a list or a mapping", "write a word as the key")
            return None
        self.check_plainness(event)
        if event.value == "<<" and event.implicit[0]:
            self.complain(self.line(event), "`<<` merges another mapping", "write the keys out: merging is not read")
            return None
        return str(event.value)

    def scalar(self, event: Any) -> Any:
        """Return the value of an unquoted word. Complain if YAML 1.1 and 1.2 disagree about it."""
        value, text = _meaning(event.value, self.strict), event.value
        if self.strict and (trap := _trap(text, value)):
            self.complain(self.line(event), *trap)
            return INVALID
        return value


def _meaning(text: str, strict: bool) -> Any:
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text) if strict else Decimal(text)
    return _WORDS.get(text, text)


def _trap(text: str, value: Any) -> tuple[str, str] | None:
    """Compare our reading, which is YAML 1.2's, with that of YAML 1.1 (PyYAML)."""
    tag = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], [])
    other = next((name.rpartition(":")[2] for name, pattern in tag if pattern.match(text)), "str")
    ours = {bool: "bool", int: "int", float: "float", str: "str"}.get(type(value), "null")
    if other == ours:
        return None
    if ours == "float" and other == "str":
        return f"`{text}` is a number to some readers of YAML and text to others", f"write {_with_point(text)}"
    if other == "bool":
        return f"`{text}` is text to some readers of YAML and a truth value to others", f'write true or false, or "{text}" for the text'
    return f"`{text}` is read in different ways by readers of YAML", f'write "{text}" for the text, or the number plainly'


def _with_point(text: str) -> str:
    """Write 1e-6 as 1.0e-6, 1.5e6 as 1.5e+6 and 08 as 8.0: the form that every reader takes for a number."""
    digits, _, exponent = text.lower().partition("e")
    signed = exponent if exponent[:1] in ("+", "-") else f"+{exponent}"
    return f"{digits if '.' in digits else digits + '.0'}e{signed}" if exponent else repr(float(text))
