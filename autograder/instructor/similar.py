"""Submissions that are alike beyond the starter and what much of the class wrote: candidates to look at, never a verdict.

Code is cut into tokens without names of one's own, comments and layout; runs of `RUN` tokens are hashed, and of each `WINDOW` hashes
one is kept (winnowing, Schleimer, Wilkerson and Aiken 2003), so that any shared stretch of RUN + WINDOW − 1 tokens is found wherever it
stands. What the starter holds, or many hold, counts nothing; of the rest, the fewer hold it the more it counts. Nothing is run.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from math import log

import msgspec

from autograder.course.model import Lesson, Submission

RUN, WINDOW = 12, 5
MOST_TOKENS, MOST_TEXT, MOST_LINE = 100_000, 1 << 20, 500  # a tokenizer's time grows with the square of a hostile line's length
FEWEST_SHARED = 3  # kept hashes: a stretch of about twenty tokens
MANY = (6, 50)  # more holders than a tenth of the class is common ground, but never fewer than this, nor more
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


class Pair(msgspec.Struct, frozen=True):
    """Two students whose code for an exercise is alike. `share` is the part of the smaller one's own code that both have."""

    exercise: str
    first: str
    second: str
    share: float
    lines: tuple[tuple[int, ...], tuple[int, ...]]  # where it begins, in each


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: str | list[str] = ""


class _Notebook(msgspec.Struct):
    cells: list[_Cell]


def code_of(name: str, source: bytes) -> str:
    """Give the Python in a submitted file: a module's text, or a notebook's cells of code; nothing where it is neither."""
    if not name.endswith(".ipynb"):
        return source.decode("utf-8", errors="replace")
    try:
        cells = msgspec.json.decode(source, type=_Notebook).cells
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return "\n".join("".join(cell.source) for cell in cells if cell.cell_type == "code")


def fingerprints(code: str) -> dict[int, int]:
    """Give the kept hashes of some code, each with the line where it first stands."""
    hashes = list(_hashes(code))
    kept: dict[int, int] = {}
    for start in range(max(0, len(hashes) - WINDOW + 1) or min(1, len(hashes))):
        value, line = min(hashes[start : start + WINDOW])
        kept.setdefault(value, line)
    return kept


def pairs(submissions: Iterable[Submission], starters: Mapping[str, Iterable[str]], least: float) -> list[Pair]:
    """Find pairs of students of whose own code at least the share `least` is alike, the most alike first.

    `starters` gives for each exercise the code that all students were given.
    """
    prints: dict[str, dict[str, dict[int, int]]] = defaultdict(dict)
    given = {exercise: {value for code in codes for value, _ in _hashes(code)} for exercise, codes in starters.items()}
    for one in submissions:
        if one.source is not None and one.exercise in given:
            found = fingerprints(code_of(one.name, one.source))
            prints[one.exercise][one.student] = {value: line for value, line in found.items() if value not in given[one.exercise]}
    made = [pair for exercise, own in prints.items() for pair in _alike(exercise, own, least)]
    return sorted(made, key=lambda pair: (-pair.share, pair.exercise, pair.first, pair.second))


def starters(lesson: Lesson) -> dict[str, list[str]]:
    """Give for each exercise the code that all students were given: its starter, and the lesson's notebook where there is one."""
    notebook = [code_of(path.name, path.read_bytes()) for path in lesson.exercises[0].starter.parent.glob("*.ipynb")]
    return {one.id: [one.starter.read_text(encoding="utf-8"), *notebook] for one in lesson.exercises}


def _alike(exercise: str, own: dict[str, dict[int, int]], least: float) -> Iterator[Pair]:
    """Compare the students of one exercise by what few of them hold."""
    holders: dict[int, list[str]] = defaultdict(list)
    for student, found in own.items():
        for value in found:
            holders[value].append(student)
    most = max(MANY[0], min(MANY[1], len(own) // 10))
    weights = {value: log(1 + len(own) / len(students)) for value, students in holders.items() if len(students) <= most}
    whole = {student: sum(weights.get(value, 0.0) for value in found) for student, found in own.items()}
    shared: dict[tuple[str, str], float] = defaultdict(float)
    counts: Counter[tuple[str, str]] = Counter()
    for value, weight in weights.items():
        for pair in combinations(sorted(holders[value]), 2):
            shared[pair] += weight
            counts[pair] += 1
    for (first, second), weight in shared.items():
        share = weight / min(whole[first], whole[second])
        if counts[first, second] >= FEWEST_SHARED and share >= least:
            both = own[first].keys() & own[second].keys() & weights.keys()
            lines = tuple(sorted({own[first][value] for value in both})), tuple(sorted({own[second][value] for value in both}))
            yield Pair(exercise, first, second, round(share, 4), lines)


def _hashes(code: str) -> Iterator[tuple[int, int]]:
    """Hash each run of tokens, the same in every process; give the line where it begins."""
    tokens = list(_tokens(code))
    for start in range(len(tokens) - RUN + 1):
        text = "\0".join(token for token, _ in tokens[start : start + RUN])
        yield int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big"), tokens[start][1]


def _tokens(code: str) -> Iterator[tuple[str, int]]:
    """Cut code into tokens as far as it can be cut: a name of one's own is V, a text S; keywords, builtins and attributes stay."""
    before, lines = "", (line[:MOST_LINE] + "\n" for line in code[:MOST_TEXT].split("\n"))
    try:
        for count, token in enumerate(tokenize.generate_tokens(lambda: next(lines, ""))):
            if count > MOST_TOKENS:
                return
            if token.type in SKIPPED:
                continue
            yield _plain(token, before), token.start[0]
            before = token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _plain(token: tokenize.TokenInfo, before: str) -> str:
    if token.type == tokenize.STRING:
        return "S"
    kept = keyword.iskeyword(token.string) or before == "." or hasattr(builtins, token.string)
    return token.string if token.type != tokenize.NAME or kept else "V"
