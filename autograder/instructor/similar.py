"""Pairs of students with similar code, beyond the starter and what much of the class wrote: candidates to look at, never a verdict.

Code becomes tokens, without the student's own names, comments and layout. Each run of `RUN` tokens is hashed, and the least of every
`WINDOW` hashes is kept (winnowing: Schleimer, Wilkerson and Aiken 2003), so any shared stretch of RUN + WINDOW − 1 tokens is found,
wherever it is. Hashes from the starter, or of many students, are ignored; the fewer students share one, the more it weighs. No code
is run.
"""

import builtins
import hashlib
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from math import log

import msgspec

from autograder.course.model import Lesson, Submission
from autograder.course.student_files import code_of

RUN, WINDOW = 12, 5
MOST_TOKENS, MOST_TEXT, MOST_LINE = 100_000, 1 << 20, 500  # a tokenizer's time grows with the square of a hostile line's length
SIZE = 60  # tokens that have to be similar: about three lines, since a line that has one solution is no sign of anything
MANY = (6, 50)  # a hash is ignored if more than a tenth of the class has it; the least and most that this tenth may be
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


class Pair(msgspec.Struct, frozen=True):
    """Two students with similar code for an exercise.

    `share` is how much of the smaller one's own code both have, by weight, and `size` how many tokens that is.
    """

    exercise: str
    first: str
    second: str
    share: float
    size: int
    lines: tuple[tuple[int, ...], tuple[int, ...]]  # where shared code begins, in each


class Unread(msgspec.Struct, frozen=True):
    """A submission that was not read, or not whole: it may be like another where nobody looked. `why` is one sentence."""

    exercise: str
    student: str
    why: str


class Similar(msgspec.Struct, frozen=True):
    """What was found in a class: pairs, the most similar first, and what could not be read."""

    pairs: list[Pair]
    unread: list[Unread]


def fingerprints(tokens: list[tuple[str, int]]) -> dict[int, tuple[int, int]]:
    """Return the kept hashes of some tokens, each with the first token and line where it begins."""
    hashes = [(value, (place, line)) for place, (value, line) in enumerate(_hashes(tokens))]
    kept: dict[int, tuple[int, int]] = {}
    for start in range(max(0, len(hashes) - WINDOW + 1) or min(1, len(hashes))):
        value, place = min(hashes[start : start + WINDOW])
        kept.setdefault(value, place)
    return kept


def similar_pairs(submissions: Iterable[Submission], starters: Mapping[str, Iterable[str]], least: float, size: int = SIZE,
                  groups: Mapping[str, str] | None = None) -> Similar:  # fmt: skip
    """Find pairs of students who share at least `least` of their own code, and at least `size` tokens.

    `starters` holds for each exercise the code that all students were given. `groups` has the group of each student who is in one: a
    group's file is compared once, under one member's name, and members are not compared with each other.
    """
    groups, shared = groups or {}, set[tuple[str, str, str]]()
    given = {exercise: {value for code in codes for value, _ in _hashes(read(code)[0])} for exercise, codes in starters.items()}
    prints: dict[str, dict[str, dict[int, tuple[int, int]]]] = defaultdict(dict)
    unread: list[Unread] = []
    for submission in submissions:
        exercise, student = submission.exercise, submission.student
        if submission.status == "missing" or exercise not in given:
            continue
        if group := groups.get(student):
            if (together := (group, exercise, submission.sha256 or "")) in shared:
                continue
            shared.add(together)
        tokens, why = read(code_of(submission.name, submission.source)) if submission.source is not None else ([], submission.problem)
        kept = fingerprints(tokens)
        prints[exercise][student] = {value: place for value, place in kept.items() if value not in given[exercise]}
        if why:
            unread.append(Unread(exercise, student, why))
    pairs = [pair for exercise, by_student in prints.items() for pair in _pairs(exercise, by_student, least, size, groups)]
    return Similar(sorted(pairs, key=lambda pair: (-pair.share, pair.exercise, pair.first, pair.second)), unread)


def starters(lesson: Lesson) -> dict[str, list[str]]:
    """Return for each exercise the code that all students were given: its starter, and the lesson's notebook if there is one."""
    notebook = [code_of(path.name, path.read_bytes()) for path in lesson.exercises[0].starter.parent.glob("*.ipynb")]
    return {exercise.id: [exercise.starter.read_text(encoding="utf-8"), *notebook] for exercise in lesson.exercises}


def _pairs(exercise: str, prints: dict[str, dict[int, tuple[int, int]]], least: float, size: int,
           groups: Mapping[str, str]) -> Iterator[Pair]:  # fmt: skip
    """Compare the students of one exercise by hashes that few of them share."""
    holders: dict[int, list[str]] = defaultdict(list)
    for student, hashes in prints.items():
        for value in hashes:
            holders[value].append(student)
    most = max(MANY[0], min(MANY[1], len(prints) // 10))
    weights = {value: log(1 + len(prints) / len(students)) for value, students in holders.items() if len(students) <= most}
    totals = {student: sum(weights.get(value, 0.0) for value in hashes) for student, hashes in prints.items()}
    shared: dict[tuple[str, str], float] = defaultdict(float)
    for value, weight in weights.items():
        for pair in combinations(sorted(holders[value]), 2):
            shared[pair] += weight
    for (first, second), weight in shared.items():
        share = weight / min(totals[first], totals[second])
        if share < least or groups.get(first, first) == groups.get(second, second):
            continue
        values = prints[first].keys() & prints[second].keys() & weights.keys()
        places = [[prints[student][value] for value in values] for student in (first, second)]
        tokens = min(len({start + step for start, _ in own for step in range(RUN)}) for own in places)
        if tokens >= size:
            one, two = (tuple(sorted({line for _, line in own})) for own in places)
            yield Pair(exercise, first, second, round(share, 4), tokens, (one, two))


def _hashes(tokens: list[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """Yield a hash of each run of tokens, the same in every process, and the line where it begins."""
    for start in range(len(tokens) - RUN + 1):
        text = "\0".join(token for token, _ in tokens[start : start + RUN])
        yield int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big"), tokens[start][1]


def read(code: str) -> tuple[list[tuple[str, int]], str]:
    """Return the tokens of code with their lines, and why that is not all of it, or "".

    Own names become V, strings S; keywords, builtins and attributes stay.
    """
    found: list[tuple[str, int]] = []
    lines, before = code[:MOST_TEXT].split("\n"), ""
    cut = {number for number, line in enumerate(lines, 1) if len(line) > MOST_LINE}
    half = MOST_LINE // 2  # with its end, a long text is still closed
    feed = ((line if len(line) <= MOST_LINE else line[:half] + line[-half:]) + "\n" for line in lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(feed, "")):
            if len(found) == MOST_TOKENS:
                return found, f"only its first {MOST_TOKENS} tokens are read"
            if token.type == tokenize.COMMENT:
                cut.discard(token.start[0])  # a comment may be as long as it likes
            if token.type in SKIPPED:
                continue
            kept = token.type != tokenize.NAME or keyword.iskeyword(token.string) or before == "." or hasattr(builtins, token.string)
            found.append(("S" if token.type == tokenize.STRING else token.string if kept else "V", token.start[0]))
            before = token.string
    except (tokenize.TokenError, SyntaxError):
        broken = f"it is not Python from line {found[-1][1] if found else 1} on"
    else:
        broken = "" if found else "there is no code in it"
    if cut:
        return found, f"only {MOST_LINE} characters of line {min(cut)} are read"
    return found, f"only its first {MOST_TEXT >> 20} MiB are read" if len(code) > MOST_TEXT else broken
