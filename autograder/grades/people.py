"""Whom a word means, and how a student's files are named."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from autograder.errors import UsageError
from autograder.model import Person


def known_as(people: Mapping[str, Person]) -> dict[str, str]:
    """Give students by the words they are known by, in small letters; what two share means nobody."""
    words = [(word.casefold(), one.student) for one in people.values() for word in {one.student, one.id, one.login, one.email} if word]
    often = Counter(word for word, _ in words)
    return {word: student for word, student in words if often[word] == 1}


def find_student(word: str, names: Iterable[str], people: Mapping[str, Person]) -> str:
    """Find who is meant by a name, number, login or e-mail. Raise `UsageError` with who may be meant."""
    graded = list(names)
    if word in graded:
        return word
    known = {name.casefold(): name for name in graded} | {w: s for w, s in known_as(people).items() if s in graded}
    if word.casefold() in known:
        return known[word.casefold()]
    close = get_close_matches(word.casefold(), known, n=3, cutoff=0.5)
    meant = ", ".join(dict.fromkeys(known[each] for each in close))
    raise UsageError(f"no student `{word}` was graded here", f"did you mean {meant}?" if meant else "give the name that grades.csv has")


def file_slug(student: str) -> str:
    """Name a student's files: a slug that any file system takes, and a hash that keeps two of them apart."""
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
