"""An `answers.yaml`, read as it was meant.

A file that YAML can read is taken as it stands. Of any other, the lines of each question are read on their own, so that an error costs no
other question; and one that leaves a single meaning costs nothing: a space that is missing after a colon, tabs, bullets, an
indent that is off, an answer that stands there twice.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from autograder.course.strict_yaml import load, plain
from autograder.course.text import decode

MOST_BYTES = 64 * 1024
DEEPEST = 4
MOST_UNREAD = 3  # lines that are told
AROUND = " \t\"'`*().,;"  # an id: quotes, and what is written in Markdown or in lists
LONGEST_NUMBER = 100  # letters, with what is written around it
_BRACES = re.compile(r"\{[^{}]*\}")
_COMMA = re.compile(r"(?<=: )[-+−]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?(?=\s*(,(?![0-9])|\}))")
_DECIMAL_COMMA = re.compile(r"[-+−]?[0-9]*,[0-9]+([eE][-+]?[0-9]{1,2})?")
_THOUSANDS = re.compile(r"[-+−]?[1-9][0-9]{0,2},[0-9]{3}")  # or three decimals
_ABOUT = re.compile(r"^[=≈~]\s*|\s+\([^()]*\)$|(?<=\d)[,;.]$")  # what people write around a number
_FRACTION = re.compile(r"([-+]?[0-9]{1,9}) ?[/⁄] ?([1-9][0-9]{0,8})")
_SEPARATOR = re.compile(r"\s*(?:->|=>|→|⇒|[,;>|\[\]])\s*|\s+")
_NUMBER = re.compile(r"[-+−]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?")
_NUMBERED = re.compile(r"^\s*\d{1,3}[.)]\s+")
_ENTRY = re.compile(r"(?:(?:[-*•]|\d{1,3}[.)])[ \t]+)?(?P<name>[^\s:=#{\[-][^:=#{\[]*)[:=](?P<value>.*)")
_BETWEEN = re.compile(r"(?:-{3}|\.{3}|<{7}|={7}|>{7}|\|{7}|```).*")  # what stands between answers: of YAML, Git and Markdown


class Names:
    """The names that may stand in front of a colon, each with those below it."""

    def __init__(self, below: Mapping[str, "Names"] | None = None):
        self.below = below or {}
        self._compared = {id_written(name): name for name in self.below}

    def meant(self, written: str) -> str:
        """Return the name that is meant, whatever its capitals, spaces and underscores; what is written, if none is."""
        return written if written in self.below else self._compared.get(id_written(written), written)


class AnswersError(Exception):
    """The file cannot be read as answers: one line for the student that says why, and where if that is known."""

    def __init__(self, problem: str, line: int | None = None):
        super().__init__(problem if line is None else f"line {line}: {problem}")


class Answered(Struct, frozen=True):
    """What is answered: text, int, Decimal, bool, None, a list, or a dict by part, by the question's name.

    `problems` says of an answer that cannot be read why, and where; `unread` has lines that belong to no answer.
    """

    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    unread: tuple[str, ...] = ()


def read_answers(data: bytes, names: Names) -> Answered:
    """Read answers. Raise `AnswersError` if nothing in the file is one.

    A number with a point stays a Decimal, because 0.80 and 0.800 are different answers to a question that asks for three decimals.
    `0,79` stays text, which marking reads as a number, also in `{a: 0,79}`, where YAML would take it for two entries.
    """
    if len(data) > MOST_BYTES:
        raise AnswersError(f"the file is larger than {MOST_BYTES // 1024} KiB: it should hold `question: answer` lines only")
    try:
        text = straightened(decode(data).text)
    except ValueError as error:
        raise AnswersError(f"this is {error}: save the file as plain text") from None
    try:
        return Answered(_named(_without_heading(_loaded(text), names), names))
    except AnswersError:
        blocks = list(_blocks(text, names))
        if len(blocks) == 1:
            raise
    return _together(blocks, names)


def _loaded(text: str, above: int = 0, *, repeats: bool = False) -> dict[str, Any]:
    """Read YAML, of which so many lines are above."""

    def refuse(line: int, problem: str, fix: str) -> None:
        raise AnswersError(f"{problem}: {fix}", line)

    text = _BRACES.sub(lambda braces: _COMMA.sub(r'"\g<0>"', braces[0]), text)
    found = plain(load(text, refuse, strict=False, depth=DEEPEST, repeats=repeats, above=above))
    if not isinstance(found, dict | None):
        raise AnswersError("this is not a list of `question: answer` lines: put a space after each colon", above + 1)
    return found or {}


def _without_heading(given: dict[str, Any], names: Names) -> dict[str, Any]:
    """Return what stands below the only name in a file, if that is none of a question."""
    for heading, below in given.items() if len(given) == 1 else ():
        if isinstance(below, dict) and names.meant(heading) not in names.below and any(names.meant(one) in names.below for one in below):
            return below
    return given


def _named(given: dict[str, Any], names: Names) -> dict[str, Any]:
    """Give answers the names that are meant, and put those of parts below their question that stand beside it."""
    found: dict[str, Any] = {}
    above = ""
    for written, value in given.items():
        name = names.meant(written)
        own = names.below.get(name)
        inner = names.below.get(above, Names())
        if own is None and inner.meant(written) in inner.below and (found[above] is None or isinstance(found[above], dict)):
            found[above] = (found[above] or {}) | {inner.meant(written): value}
            continue
        value = _merged(value) if own and own.below and isinstance(value, list) else value
        value = _named(value, own) if own and isinstance(value, dict) else value
        found[name] = _one_of(found.get(name), value, f"`{name}` stands there twice, with different answers: keep one of them")
        above = name
    return found


def _one_of(one: Any, other: Any, differ: str) -> Any:
    """Return what two answers to one question say together. Raise `AnswersError`, saying how they `differ`, if each says another thing."""
    if blank(one) or blank(other) or one == other:
        return other if one is None or not blank(other) else one
    parts = [{name: value for name, value in both.items() if not blank(value)} for both in (one, other) if isinstance(both, dict)]
    together = _merged(parts) if len(parts) == 2 else None
    if not isinstance(together, dict):
        raise AnswersError(differ)
    return together


def _merged(items: list[Any]) -> Any:
    """Return a list of mappings as one, as far as they have no key in common."""
    found: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict) or found.keys() & item:
            return items
        found |= item
    return found


# ---- question by question


class _Block(Struct, frozen=True):
    """The lines from one question's name to the next one's; those before the first have no name."""

    name: str
    above: int
    lines: list[str]


def _blocks(text: str, names: Names) -> Iterator[_Block]:
    block = _Block("", 0, [])
    for number, line in enumerate(text.split("\n")):
        entry = _ENTRY.match(line)
        if entry and (name := names.meant(entry["name"])) in names.below:
            yield block
            block = _Block(name, number, [])
        block.lines.append(line)
    yield block


def _together(blocks: list[_Block], names: Names) -> Answered:
    """Put what was read of each block together; two answers to a question that differ are none."""
    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    unread: list[str] = []
    lines: dict[str, int] = {}
    for block in blocks:
        try:
            found, stray = _read(block, names)
        except AnswersError as error:
            problems.setdefault(block.name, str(error))
            found, stray = {block.name: None}, []
        unread += stray
        for name, value in found.items():
            lines.setdefault(name, block.above + 1)
            differ = f"line {block.above + 1}: `{name}` has another answer here than on line {lines[name]}: keep one of them"
            try:
                given[name] = _one_of(given.get(name), value, differ)
            except AnswersError as error:
                problems.setdefault(name, str(error))
    return Answered({name: value for name, value in given.items() if name not in problems}, problems, tuple(unread[:MOST_UNREAD]))


def _read(block: _Block, names: Names) -> tuple[dict[str, Any], list[str]]:
    """Read a block as it stands or, if that fails, with one error after another mended; return also the lines that are left out."""
    first = None
    for lines, left_out in _mended(block.lines):
        try:
            return _named(_loaded("\n".join(lines), block.above, repeats=True), names), left_out
        except AnswersError as error:
            first = first or error
    if block.name and first:
        raise first
    return {}, [line.strip()[:80] for line in block.lines if line.strip() and line[0] != "#"]


def _mended(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    yield lines, []
    yield (spaced := _spaced(lines)), []
    prose = [line.strip()[:80] for line in spaced if _is_prose(line)]
    yield (rest := [line for line in spaced if not _is_prose(line)]), prose
    yield _level(rest), prose


def _spaced(lines: list[str]) -> list[str]:
    """Indent with spaces, put one after each colon, and leave out bullets and what stands between answers."""
    cut = [(line[: len(line) - len(line.lstrip())], line.lstrip()) for line in lines]
    return [indent.replace("\t", "  ") + _entry(rest) for indent, rest in cut if indent or not _BETWEEN.fullmatch(rest)]


def _entry(line: str) -> str:
    entry = _ENTRY.fullmatch(line)
    return f"{entry['name'].strip(AROUND)}: {entry['value'].strip()}".rstrip() if entry else line


def _is_prose(line: str) -> bool:
    return bool(line) and not line[0].isspace() and line[0] not in "#]}" and ":" not in line


def _level(lines: list[str]) -> list[str]:
    """Put all lines below the first at one indent."""
    return [*lines[:1], *(f"  {line.strip()}" if line[:1].isspace() else line for line in lines[1:])]


# ---- what people write for a text, an id, a list or a number

_STRAIGHT = str.maketrans(
    {**dict.fromkeys("“”„‟«»＂", '"'), **dict.fromkeys("‘’‚‛＇", "'"), **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\xad"), "：": ": "}
)


def straightened(text: str) -> str:
    """Write what a word processor or a web page puts into a text as a keyboard would: quotes, spaces, and nothing that is invisible."""
    text = text.translate(_STRAIGHT)
    kinds = {letter: unicodedata.category(letter) for letter in set(text) - set("\n\t")}
    return text.translate({ord(letter): {"Zs": " ", "Cc": None}[kind] for letter, kind in kinds.items() if kind in ("Zs", "Cc")})


def id_written(text: str) -> str:
    """Return an id as ids are compared: in small letters, with hyphens alone."""
    return re.sub(r"[\s_-]+", "-", _NUMBERED.sub("", straightened(text)).strip(AROUND).casefold())


def words_written(text: str) -> list[str]:
    """Return the words of a list that was written as one text, with commas, arrows or spaces between them."""
    return [word for word in _SEPARATOR.split(text) if word]


def may_be_thousands(text: str) -> bool:
    """Return whether a comma may stand between thousands, as in 1,234, or before three decimals."""
    return bool(_THOUSANDS.fullmatch(text.strip()))


def number_written(text: str) -> Decimal | None:
    """Return a number with the digits that were written; None if it is none.

    It may be a fraction, and have a decimal comma, digits of any script, "about" before it or a remark in brackets behind it.
    """
    if len(text) > LONGEST_NUMBER:
        return None
    text = _ABOUT.sub("", "".join(map(_digit, unicodedata.normalize("NFKC", text).strip()))).replace("−", "-")
    if fraction := _FRACTION.fullmatch(text):
        return Decimal(fraction[1]) / Decimal(fraction[2])
    text = text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _digit(letter: str) -> str:
    """Write a digit of any script as ours, and the separator before Arabic decimals as a point."""
    return "." if letter == "٫" else str(unicodedata.decimal(letter, letter))


def blank(answer: Any, levels: int = 2) -> bool:
    """Return whether nothing is written, or parts and matches are all blank."""
    if isinstance(answer, dict) and levels:
        return all(blank(one, levels - 1) for one in answer.values())
    return answer is None or answer == ""
