"""Follow every id to what it names, and hold each question to what its kind needs. Shapes and types are right by now.

Items and their YAML trees come side by side, so that a complaint names the line of the very key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from autograder.course.model import Key, Lesson, Policy, Question, Wrong
from autograder.course.schema import meant
from autograder.course.strict_yaml import At, Complain

T = TypeVar("T")

_OF_KIND: dict[str, tuple[set[str], set[str]]] = {  # what a kind needs, and what it may have beside
    "number": ({"computes", "arguments", "tolerance"}, {"decimals", "tells", "numbers"}),
    "choice": ({"choices"}, {"several", "numbers"}),
    "order": ({"choices"}, {"numbers"}),
    "match": ({"choices", "options"}, {"numbers"}),
    "parts": ({"parts"}, {"numbers"}),
}
_OF_ALL = {"id", "kind", "text", "points", "card"}
_OF_WHOLES = {"objective", "section", "core"}
_KNOWN = set[str]().union(_OF_ALL, _OF_WHOLES, *(needs | may for needs, may in _OF_KIND.values()))
_ARTICLE = {"number": "a number", "choice": "a choice", "order": "an order", "match": "a match", "parts": "a question of parts"}
_FORM_OF_MISTAKE = {"choice": "a wrong choice", "order": "`later>earlier`, two choices in the wrong order", "match": "`choice=option`"}
_PLACE = re.compile(r"\[\[(\w+)\]\]")
_MISCONCEPTION = re.compile(r"M[0-9]{2}")


def line_of(at: At, *keys: str) -> int:
    """Return the line of the key at the end of this path, or of the last one on it that is there."""
    for key in keys:
        if not isinstance(at.value, dict) or key not in at.value:
            break
        at = at.value[key]
    return at.line


def mappings(items: Iterable[T], at: At) -> list[tuple[T, At]]:
    """Pair what was read of a list with where it stands, as far as it was a list of mappings."""
    ats = at.value if isinstance(at.value, list) else []
    return [(item, own) for item, own in zip(items, ats, strict=False) if isinstance(own.value, dict)]


def check_cards(lesson: Lesson, ats: Sequence[At], complain: Complain) -> None:
    for card, at in zip(lesson.cards, ats, strict=True):
        owner = f"card `{card.id}`"
        _check_named(owner, "objective", card.objective, _ids(lesson.objectives), at, complain)
        _check_named(owner, "section", card.section, _ids(lesson.sections), at, complain)
        if bool(card.cloze) == bool(card.front or card.back) or bool(card.front) != bool(card.back):
            complain(at.line, f"{owner} needs a front and a back, or a cloze alone", "give it the one or the other")
        if card.cloze and not re.search(r"\{\{c[0-9]+::.+?\}\}", card.cloze):
            complain(line_of(at, "cloze"), f"{owner}: the cloze hides nothing", "mark what is hidden, like {{c1::this}}")


def check_questions(lesson: Lesson, ats: Sequence[At], root: Path, complain: Complain) -> None:
    for question, at in zip(lesson.questions, ats, strict=True):
        owner = f"question `{question.id}`"
        for name, known in (("objective", _ids(lesson.objectives)), ("section", _ids(lesson.sections))):
            _check_named(owner, name, getattr(question, name), known, at, complain)
        _check_question(owner, question, question, lesson, at, root, complain)
        for part, part_at in mappings(question.parts, at.value.get("parts", at)):
            _check_question(f"{owner}, part `{part.id}`", part, question, lesson, part_at, root, complain)


def check_keys(lesson: Lesson, at: At, complain: Complain) -> None:
    """Hold the answers in `solutions/` to the questions, one by one."""
    cards = _ids(lesson.cards)
    _check_parallel("question", lesson.questions, lesson.keys, at, cards, complain)


def _ids(items: Iterable[object]) -> list[str]:
    return [str(getattr(item, "id", "")) for item in items]


def _check_named(owner: str, key: str, name: str, known: list[str], at: At, complain: Complain) -> None:
    if name and known and name not in known:  # where nothing is known, the list itself has been complained of
        fix = meant(name, known, f"take one of {', '.join(dict.fromkeys(known))}")
        complain(line_of(at, key), f"{owner}: there is no {key} `{name}`", fix)
    elif not name and key not in at.value:
        complain(at.line, f"{owner}: `{key}` is missing", f"add `{key}: ...`")


# ---- questions


def _check_question(owner: str, question: Question, whole: Question, lesson: Lesson, at: At, root: Path, complain: Complain) -> None:
    if question.kind not in _OF_KIND:
        return
    needs, may = _OF_KIND[question.kind]
    allowed = _OF_ALL | needs | may if question is whole else (_OF_ALL | needs | may) - {"numbers"}
    allowed |= _OF_WHOLES if question is whole else set()
    if question is not whole and question.kind == "parts":
        complain(at.line, f"{owner}: a part cannot have parts", "make it a question of its own")
    for key in sorted((at.value.keys() & _KNOWN) - allowed):
        place = "the whole question" if question is not whole and key in _OF_WHOLES | {"numbers"} else "another kind of question"
        complain(line_of(at, key), f"{owner}: `{key}` belongs to {place}, not to {_ARTICLE[question.kind]}", "remove it")
    for key in sorted(needs - at.value.keys()):
        complain(at.line, f"{owner}: {_ARTICLE[question.kind]} needs `{key}`", f"add `{key}: ...`")
    if question.card is not None:
        _check_named(owner, "card", question.card, _ids(lesson.cards), at, complain)
    _check_numbers(owner, question, whole, at, complain)
    if question.kind == "number" and question.computes:
        _check_computes(owner, question, lesson, at, root, complain)
    for name in _ids((*question.choices, *question.parts)):
        if name in ("seed", "answer"):
            complain(at.line, f"{owner}: `{name}` is not free as an id", "take another: answers to fresh numbers use this word")
    if question.kind in ("choice", "order", "match") and len(question.choices) == 1:
        complain(line_of(at, "choices"), f"{owner}: there is one choice only", "give at least two")


def _check_numbers(owner: str, question: Question, whole: Question, at: At, complain: Complain) -> None:
    for name, drawn in question.numbers.items():
        line, written = line_of(at, "numbers", name), at.value["numbers"].value[name].value
        if isinstance(written, dict) and (drawn.step <= 0 or drawn.low >= drawn.high):
            complain(line, f"{owner}: number `{name}` has no grid", "give a low below the high, and a step above 0")
    known = list(whole.numbers)
    for name in dict.fromkeys(_PLACE.findall(question.text)):
        if name not in known:
            complain(line_of(at, "text"), f"{owner}: there is no number `{name}`", meant(name, known, "add it to `numbers`"))
    for argument in question.arguments:
        if isinstance(argument, str) and argument not in known:
            complain(line_of(at, "arguments"), f"{owner}: there is no number `{argument}`", meant(argument, known, "add it to `numbers`"))
    written = at.value["tolerance"].value if "tolerance" in at.value else None
    if question.kind == "number" and isinstance(written, int | float) and question.tolerance <= 0:
        complain(line_of(at, "tolerance"), f"{owner}: the tolerance is {question.tolerance}", "write one above 0, like 0.002")


def _check_computes(owner: str, question: Question, lesson: Lesson, at: At, root: Path, complain: Complain) -> None:
    exercise, _, function = question.computes.partition(".")
    line, known = line_of(at, "computes"), [*_ids(lesson.exercises), "practice"]
    if not function.isidentifier():
        complain(line, f"{owner}: `{question.computes}` names no function", "write EXERCISE.FUNCTION, like sums.total")
    elif exercise not in known:
        complain(line, f"{owner}: there is no exercise `{exercise}`", meant(exercise, known, f"take one of {', '.join(known)}"))
    elif (root / "solutions").is_dir() and not (root / "solutions" / lesson.id / f"{exercise}.py").is_file():
        complain(line, f"{owner}: solutions/{lesson.id}/{exercise}.py is missing", "create this file, with the function in it")


# ---- keys


def _check_parallel(noun: str, questions: Sequence[Question], keys: dict[str, Key], at: At, cards: list[str], complain: Complain) -> None:
    known = {question.id: question for question in questions}
    for name in [name for name in keys if name not in known]:
        fix = meant(name, known, "remove it, or write the question first")
        complain(line_of(at, name), f"there is no {noun} `{name}`", fix)
    for name, question in known.items():
        if name in keys:
            _check_key(f"{noun} `{name}`", question, keys[name], at.value[name], cards, complain)
        elif question.kind != "number":
            complain(at.line, f"{noun} `{name}` has no answer here", f"add `{name}:` with what is right")


def _check_key(owner: str, question: Question, key: Key, at: At, cards: list[str], complain: Complain) -> None:
    if question.kind not in _OF_KIND or "" in _ids((*question.choices, *question.options)) or not isinstance(at.value, dict):
        return  # complained of as a value
    if question.kind == "parts":
        _check_parallel(f"{owner}, part", question.parts, key.parts, At(at.value.get("parts", At({}, at.line)).value, line_of(at, "parts")),
                        cards, complain)  # fmt: skip
    if question.kind in ("number", "parts"):
        for name in sorted({"right", "wrong"} & at.value.keys()):
            fix = "remove it: the answer is computed or in its parts"
            complain(line_of(at, name), f"{owner}: {_ARTICLE[question.kind]} has no `{name}`", fix)
    elif "right" not in at.value:
        complain(at.line, f"{owner}: `right` is missing", "add `right: ...`")
    elif not isinstance(at.value["right"].value, str | list | dict):
        pass  # complained of as a value
    elif problem := _problem_with_right(question, key.right):
        complain(line_of(at, "right"), f"{owner}: {problem[0]}", problem[1])
    else:
        possible = sorted(_possible_mistakes(question, key))
        for name in [name for name in key.wrong if name not in possible]:
            turned = ">".join(reversed(name.split(">")))
            fix = meant(turned if turned in possible else name, possible, f"write {_FORM_OF_MISTAKE[question.kind]}")
            complain(line_of(at, "wrong", name), f"{owner}: `{name}` is no wrong answer", fix)
    for name, wrong in key.wrong.items():
        _check_wrong(f"{owner}, `{name}`", wrong, at.value["wrong"].value[name], cards, complain)


def _problem_with_right(question: Question, right: object) -> tuple[str, str] | None:
    choices = _ids(question.choices)
    if question.kind == "match":
        return _problem_with_match(question, right)
    if isinstance(right, str) != (question.kind == "choice" and not question.several) or isinstance(right, dict):
        wanted = "a list of choices" if question.kind == "order" or question.several else "one choice"
        return f"`right` should be {wanted}", "write it like the question's `choices`"
    named = [right] if isinstance(right, str) else list(right) if isinstance(right, tuple) else []
    for name in named:
        if name not in choices:
            return f"there is no choice `{name}`", meant(name, choices, f"take one of {', '.join(choices)}")
    if question.kind == "order" and sorted(named) != sorted(choices):
        return "`right` should hold each choice once", f"put {', '.join(choices)} in order"
    return None


def _problem_with_match(question: Question, right: object) -> tuple[str, str] | None:
    choices, options = _ids(question.choices), _ids(question.options)
    if not isinstance(right, dict) or sorted(right) != sorted(choices):
        return "`right` should give an option to each choice", f"write a mapping with the keys {', '.join(choices)}"
    for option in right.values():
        if option not in options:
            return f"there is no option `{option}`", meant(option, options, f"take one of {', '.join(options)}")
    return None


def _possible_mistakes(question: Question, key: Key) -> set[str]:
    """List the keys that `wrong` may have."""
    choices, right = _ids(question.choices), key.right
    if question.kind == "choice":
        return set(choices) - ({right} if isinstance(right, str) else set())
    if question.kind == "order" and isinstance(right, tuple):
        return {f"{later}>{earlier}" for place, later in enumerate(right) for earlier in right[:place]}
    pairs = {f"{choice}={option}" for choice in choices for option in _ids(question.options)}
    return pairs - {f"{choice}={option}" for choice, option in right.items()} if isinstance(right, dict) else pairs


def _check_wrong(owner: str, wrong: Wrong, at: At, cards: list[str], complain: Complain) -> None:
    if wrong.misconception is not None and not _MISCONCEPTION.fullmatch(wrong.misconception):
        complain(line_of(at, "misconception"), f"{owner}: `{wrong.misconception}` is not the id of a misconception", "write it like M16")
    if wrong.card is not None:
        _check_named(owner, "card", wrong.card, cards, at, complain)


_BY_EXERCISE = ("limits_of", "due_of", "weights")


def check_policy(policy: Policy, at: At, exercises: list[str], complain: Complain) -> None:
    """Complain of what names no exercise, and of numbers that nothing can be."""
    for key in _BY_EXERCISE:
        for name in getattr(policy, key):
            if exercises and name not in exercises:
                fix = meant(name, exercises, f"take one of {', '.join(exercises)}")
                complain(line_of(at, "grading", key, name), f"`{key}`: there is no exercise `{name}`", fix)
    for keys, value in _shares(policy):
        if not 0 <= value <= 100:
            complain(line_of(at, "grading", *keys), f"`{keys[-1]}` is {value:g}", "write a percentage, from 0 to 100")
    for name, weight in policy.weights.items():
        if weight < 0:
            complain(line_of(at, "grading", "weights", name), f"`weights`, `{name}` is {weight:g}", "write 0 or more; 0 counts nothing")
    if policy.late and policy.late.grace_minutes < 0:
        complain(line_of(at, "grading", "late", "grace_minutes"), "`grace_minutes` is below 0", "write 0 or more")


def _shares(policy: Policy) -> Iterator[tuple[tuple[str, ...], float]]:
    if policy.pass_mark is not None:
        yield ("pass_mark",), policy.pass_mark
    if policy.late:
        yield ("late", "percent"), policy.late.percent
        yield ("late", "most"), policy.late.most
