"""A lesson's text by sections, and what an author marks in it: questions to predict, and the sources of what it says."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from autograder.course.model import Lesson, Section
from autograder.course.text import WARNING

SOURCE = re.compile(r"<!-- *source: *(?P<words>.*?) *-->", re.DOTALL)
LABEL = "Predict first: "
_CHOICE = re.compile(r"- \[(?P<mark>[ xX])\] (?P<text>.*(?:\n +.*)*)(?:\n|\Z)")
_DIGITS = r"[-−]?[0-9]+(?:\.[0-9]+)?"
RANGE = rf" from (?P<low>{_DIGITS}) to (?P<high>{_DIGITS})"
CURVE = re.compile(r"<!-- curve: *(?P<name>[^;]*?); *(?P<expression>[^;]*?); *(?P<heights>[^;]*?) *-->", re.DOTALL)
_NUMBER = re.compile(
    rf"\*\*(?P<number>{_DIGITS})\*\*(?:<!--=.*?-->)?(?:{RANGE})?(?:\s*(?P<curve><!-- curve:.*?-->))?[ \t]*(?:\n\s*\n|\Z)", re.DOTALL
)
_ADDRESS = re.compile(r"arXiv:(?P<arxiv>[0-9]{4}\.[0-9]{4,5})|doi:(?P<doi>10\.[^\s,;]+)|(?P<web>https?://[^\s,;]+)")
_AUTHORS = re.compile(r"(?P<first>[A-Z][\w'’-]+)(?:(?:,? and|,| et) [\w.'’-]+)*,? \(?(?P<year>(?:19|20)[0-9]{2})\b")


def section_texts(lesson: Lesson) -> Iterator[tuple[Section, str]]:
    """Yield each section with the text below its heading."""
    lines = lesson.text.split("\n")
    ends = [*(section.line - 1 for section in lesson.sections[1:]), len(lines)]
    for section, end in zip(lesson.sections, ends, strict=False):
        yield section, "\n".join(lines[section.line : end])


def titled(name: str, text: str) -> str:
    """Write an id in words: an abbreviation in capitals as the lesson's text has it, and a variable at its start stays small."""
    known = _abbreviations(text)
    words = " ".join(known.get(word, word) for word in re.split("[-_]", name))
    return words if words[1:2] == " " and words[0] != "a" else words[:1].upper() + words[1:]


@cache
def _abbreviations(text: str) -> dict[str, str]:
    return {word.lower(): word for word in re.findall(r"\b[A-Z][A-Z0-9]+\b", text)}


def warned_of(text: str) -> list[str]:
    """Return the ids of the misconceptions that a text warns of, in their order."""
    return [one.strip() for warning in WARNING.finditer(text) for one in warning["ids"].split(",")]


class Curve(NamedTuple):
    """What a number is looked up on: what its heights are, at places evenly spaced over the range, and the expression that gives them."""

    name: str
    expression: str
    heights: tuple[str, ...]


class Prediction(NamedTuple):
    """A question that readers answer before they see the lesson's answer: by one of its `choices`, by a number, or in words.

    A number may have a range, whose `ends` are two numbers, and be looked up on a curve over it.
    """

    question: str
    choices: tuple[str, ...]
    right: tuple[str, ...]  # those of the choices that are right
    number: str
    explanation: str
    ends: tuple[str, ...] = ()
    curve: Curve | None = None

    @property
    def answer(self) -> str:
        """What a guess is compared with, as Markdown; empty if that is the explanation alone."""
        return "; ".join(self.right) or self.number

    @property
    def asked(self) -> str:
        """The question with its choices, as Markdown."""
        return "\n\n".join(filter(None, (f"**{LABEL}{self.question}**", "\n".join(f"- {choice}" for choice in self.choices))))

    @property
    def told(self) -> str:
        """The answer and what explains it, as Markdown."""
        return "\n\n".join(filter(None, (f"**{self.answer}**" if self.answer else "", self.explanation)))


def prediction(folded: re.Match[str]) -> Prediction:
    """Read one match of FOLDED: its text may begin with a list of tasks, the right ones ticked, or with a number in bold and its range."""
    question, rest, choices, right = folded["question"].removeprefix(LABEL), folded["answer"], [], []
    while choice := _CHOICE.match(rest):
        choices.append(" ".join(choice["text"].split()))
        right += choices[-1:] if choice["mark"] != " " else []
        rest = rest[choice.end() :]
    number = None if choices else _NUMBER.match(rest)
    if not number:
        return Prediction(question, tuple(choices), tuple(right), "", rest.strip())
    ends = (number["low"], number["high"]) if number["low"] else ()
    return Prediction(question, (), (), number["number"], rest[number.end() :].strip(), ends, _curve(number["curve"] or ""))


def _curve(comment: str) -> Curve | None:
    found = CURVE.fullmatch(comment)
    return Curve(found["name"], found["expression"], tuple(found["heights"].split())) if found else None


def plain_number(digits: str) -> float:
    """Read a number as an author writes it, with a minus sign or a hyphen."""
    return float(digits.replace("−", "-"))


class Source(NamedTuple):
    """Where something is said: in short, in the author's words, and as an address."""

    label: str
    words: str
    address: str


def sources_in(words: str) -> Iterator[Source]:
    """Yield what has an address in the words of a `source` comment, in which a semicolon separates several sources."""
    for part in " ".join(words.split()).split("; "):
        if found := address(part):
            authors = _AUTHORS.search(part)
            yield Source(f"{authors['first']} {authors['year']}" if authors else found.partition("//")[2], part, found)


def address(words: str) -> str:
    """Return the first address in some words, of arXiv, by DOI or on the web; empty if there is none."""
    found = _ADDRESS.search(words)
    if found is None:
        return ""
    if found["arxiv"]:
        return f"https://arxiv.org/abs/{found['arxiv']}"
    return f"https://doi.org/{found['doi']}" if found["doi"] else found["web"]
