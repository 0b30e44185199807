"""Practice that counts (`practice: own` in course.yaml): each student's own numbers, and choices in an order of their own.

Both follow from the round and the student's id. A release tells them to whoever asks and needs no secret for it: it holds the round's
token, and numbers to choose from, but neither an answer to these numbers nor the key of a choice.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.answers import Names
from autograder.course.kinds import KINDS, form_of
from autograder.course.model import Choice, Key, Lesson, Question

POOL = 200  # sets of numbers for each question
FOR = "for"  # the key of answers.yaml that says whose numbers are answered
PRACTICE_WORDS = {
    "open": "Practice is open: hand in answers to the lesson's own numbers. You may look up anything, including these answers.",
    "own": "Practice counts, with numbers of your own: `course practice --for-grading ID` shows them. All others are for practising.",
}

HEADS = {  # of answers.yaml
    "open": "To read one: course practice QUESTION\n"
    "# Practice is open: the lesson's own numbers count, and you may look up anything.\n"
    "# A fresh variant is answered with its seed: {seed: 7, answer: 0.123}.\n",
    "own": "They count, with your own numbers.\n"
    "# To read them: course practice --for-grading ID, with your number, login or name.\n"
    f"# The same ID goes here, in quotes.\n{FOR}:\n",
}


class Own(Struct, frozen=True):
    """Whose questions these are: the round's token, and the student's id as `who` returns it."""

    token: str
    student: str

    def digest(self, *names: str) -> bytes:
        return hmac.digest(self.token.encode(), "\0".join((self.student, *names)).encode(), "sha256")


def token_of(secret: bytes) -> str:
    """Return the token of a round, which is no secret: the round's other numbers do not follow from it."""
    return hmac.digest(secret, b"practice", "sha256").hex()[:32]


def who(written: object) -> str:
    """Return an id as it is compared: in small letters, without spaces, and a number without zeros before it."""
    text = "".join(str(written).casefold().split())
    return text.lstrip("0") or "0" if text.isdecimal() else text


def place_of(question: Question, own: Own) -> int:
    """Return which of the question's sets of numbers a student gets."""
    return int.from_bytes(own.digest(question.id), "big") % POOL


def relabelled(question: Question, key: Key, own: Own | None = None) -> tuple[Question, Key]:
    """Return a question and its key with letters for choices and numbers for options, in the student's order."""

    def shuffled(choices: Sequence[Choice], names: Iterable[str], where: str) -> tuple[tuple[Choice, ...], dict[str, str]]:
        order = sorted(choices, key=lambda one: own.digest(where, one.id)) if own else choices
        labels = {one.id: name for one, name in zip(order, names, strict=False)}
        return tuple(replace(one, id=labels[one.id]) for one in order), labels

    def rewritten(part: Question, own_key: Key, where: str) -> tuple[Question, Key]:
        choices, left = shuffled(part.choices, ascii_lowercase, where)
        options, right = shuffled(part.options, map(str, range(1, 100)), f"{where} options")
        parts = [rewritten(one, own_key.part(one.id), f"{where} {one.id}") for one in part.parts]
        keys = {one.id: known for one, (_, known) in zip(part.parts, parts, strict=True)}
        asked = replace(part, choices=choices, options=options, parts=tuple(one for one, _ in parts))
        return asked, replace(_renamed(own_key, left, right), parts=keys)

    return rewritten(question, key, question.id)


def as_asked(lesson: Lesson) -> tuple[Question, ...]:
    """Return the questions in the form in which answers.yaml answers them."""
    return lesson.questions if lesson.practice == "open" else tuple(relabelled(one, Key())[0] for one in lesson.questions)


def names_asked(lesson: Lesson) -> Names:
    """Return the names of all that answers.yaml may answer."""
    asked = {question.id: _names(question) for question in as_asked(lesson)}
    return Names({**asked, FOR: Names()} if lesson.practice == "own" else asked)


def _names(question: Question) -> Names:
    inner = {part.id: _names(part) for part in question.parts} or dict.fromkeys(form_of(question).keys, Names())
    return Names(inner)


def blank_answers(lesson: Lesson) -> str:
    """Return an empty `answers.yaml`: each question with the form of its answer."""
    head = f"# Answers to the practice questions of {lesson.id}. {HEADS[lesson.practice]}"
    words = {True: "core", False: "optional"} if lesson.practice == "open" else {True: "", False: ""}
    return head + "".join(f"\n{_blank(question, '', words[question.core])}" for question in as_asked(lesson))


def _blank(question: Question, indent: str, about: str = "") -> str:
    if question.parts:
        return f"{indent}{question.id}:{f'  # {about}' * bool(about)}\n" + "".join(_blank(part, indent + "  ") for part in question.parts)
    form = form_of(question)
    about = ", ".join(filter(None, (about, f"{'each ' * bool(form.keys)}{form.expected}")))
    return f"{indent}{question.id}:  # {about}\n" + "".join(f"{indent}  {key}:\n" for key in form.keys)


def _renamed(key: Key, left: dict[str, str], right: dict[str, str]) -> Key:
    def name(written: str) -> str:
        first, sign, second = re.fullmatch(r"([^=>]*)([=>]?)(.*)", written).groups()  # type: ignore[union-attr]  # it matches everything
        return f"{left[first]}{sign}{(right if sign == '=' else left)[second] if sign else ''}"

    answer = key.right
    if isinstance(answer, dict):
        answer = {left[choice]: right[option] for choice, option in answer.items()}
    elif answer is not None:
        answer = left[answer] if isinstance(answer, str) else tuple(left[one] for one in answer)
    return replace(key, right=answer, wrong={name(written): told for written, told in key.wrong.items()})


Call = tuple[Any, ...]  # a function's name and its arguments


def call_of(part: Question, numbers: Mapping[str, float]) -> Call:
    """Return the function that computes a part's answer, and its arguments."""
    return (part.computes, *(numbers[one] if isinstance(one, str) else one for one in part.arguments))


def calls_of(question: Question, numbers: Mapping[str, float]) -> set[Call]:
    """Return the calls that compute the answers of a question, as far as they depend on its numbers."""
    return {call_of(part, numbers) for part in (question, *question.parts) if _is_drawn(part)}


def is_apart(question: Question, numbers: Mapping[str, float], *, counting: bool) -> bool:
    """Whether numbers may be used for counting, or else for practising: no answer to the ones is an answer to the others.

    Few numbers are chosen of which each answer depends on at least one; every other value on their grids counts.
    """
    places = (round((numbers[name] - drawn.low) / drawn.step) for name, drawn in question.numbers.items() if name in _dividing(question))
    return all(place % 2 == counting for place in places)


def _dividing(question: Question) -> set[str]:
    waiting = [{one for one in part.arguments if isinstance(one, str)} for part in (question, *question.parts) if _is_drawn(part)]
    chosen = set[str]()
    while waiting:
        name = max(question.numbers, key=lambda name: sum(name in names for names in waiting))
        chosen.add(name)
        waiting = [names for names in waiting if name not in names]
    return chosen


def practised(lesson: Lesson) -> tuple[Question, ...]:
    """Return the questions that are marked at home: all, or where practice counts those with other numbers, without their choices."""
    if lesson.practice == "open":
        return lesson.questions
    return tuple(one for one in map(_without_choices, lesson.questions) if one)


def _without_choices(question: Question) -> Question | None:
    """Return what of a question can be answered with other numbers; None if that is nothing."""
    if not question.numbers:
        return None
    parts = tuple(part for part in question.parts if _is_drawn(part))
    return replace(question, parts=parts) if parts or (not question.parts and _is_drawn(question)) else None


def _is_drawn(part: Question) -> bool:
    return KINDS[part.kind].problem is None and any(isinstance(one, str) for one in part.arguments)


def key_of(lesson: Lesson, question: Question) -> Key:
    """Return the key of a practised question: where practice counts, without what belongs to parts that are left out."""
    key = lesson.keys.get(question.id, Key())
    if lesson.practice == "open":
        return key
    parts = {part.id: key.part(part.id) for part in question.parts}
    return replace(key, parts=parts, working=() if parts else key.working)
