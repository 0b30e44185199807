"""A lesson's symbols and terms, from its `glossary.yaml`: what each means, in a sentence, and the section that explains it."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from autograder.course.errors import CourseError
from autograder.course.loading import Folders
from autograder.course.model import Lesson
from autograder.course.schema import did_you_mean
from autograder.course.text import formulas_in_unicode, latex_tokens


class Meaning(Struct, frozen=True, forbid_unknown_fields=True):
    """What `glossary.yaml` says of one symbol or term."""

    means: str
    section: str
    line: int = 0


class Entry(Struct, frozen=True, dict=True):
    """A symbol or a term: `name` is a formula in dollars, or the words as the text has them."""

    name: str
    means: str
    section: str
    line: int

    @property
    def is_symbol(self) -> bool:
        return self.name.startswith("$")

    @property
    def id(self) -> str:
        """Its anchor on the page."""
        return "term-" + "-".join(re.findall("[A-Za-z0-9]+", self.name))

    @property
    def plain(self) -> str:
        """Its name as Unicode text."""
        return formulas_in_unicode(self.name)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds the words in a text, also in the plural and broken over lines; small letters find large ones, too."""
        words = r"\s+".join(map(re.escape, self.name.split()))
        flags = re.IGNORECASE if self.name.islower() else 0
        return re.compile(rf"(?<![\w-]){words}s?(?![\w-])", flags)


def read_glossary(root: Path, lesson: Lesson) -> tuple[Entry, ...]:
    """Read a lesson's glossary, in its order; empty if it has none. Raise `CourseError` with every finding."""
    folders, path = Folders(root), root / "lessons" / lesson.id / "glossary.yaml"
    if not path.is_file():
        return ()
    found, _ = folders.typed(path, dict[str, Meaning], folders.text(path, "the glossary") or "{}")
    sections = [section.id for section in lesson.sections]
    for name, one in found.items():
        if one.section and one.section not in sections:
            fix = did_you_mean(one.section, sections, f"take one of {', '.join(sections)}")
            folders.about(path)(one.line, f"`{name}`: there is no section `{one.section}`", fix)
    if folders.findings:
        raise CourseError(folders.findings)
    return tuple(Entry(name, one.means, one.section, one.line) for name, one in found.items())


def symbols_in(formula: str, glossary: Iterable[Entry]) -> list[Entry]:
    """Return the symbols that a LaTeX formula contains, in the glossary's order.

    The longest are looked for first, so that α is not found in ᾱ. One with the index t stands for every index without a symbol of its own.
    """
    tokens: list[str] = latex_tokens(formula)
    symbols = {entry: latex_tokens(entry.name.strip("$")) for entry in glossary if entry.is_symbol}
    found = set()
    for entry, wanted in sorted(symbols.items(), key=lambda pair: (-len(pair[1]), pair[1][-2:] == ["_", "t"])):
        if wanted[-2:] == ["_", "t"]:
            wanted = wanted[:-1]
        for place in _places(tokens, wanted):
            tokens[place : place + len(wanted)] = [""] * len(wanted)
            found.add(entry)
    return [entry for entry in symbols if entry in found]


def _places(tokens: list[str], wanted: list[str]) -> Iterator[int]:
    for place in range(len(tokens)):
        if tokens[place : place + len(wanted)] == wanted:
            yield place
