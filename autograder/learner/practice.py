"""Practice: which question is asked, with which numbers, what an answer earns, and when a question is mastered.

Three fresh variants in a row, each right at the first try, master a question with numbers. A question without numbers, or of
several parts, is mastered while its last answer was right. A wrong answer costs the streak and nothing else.
"""

import math
import random
from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import msgspec

from autograder.course.answers import words_written
from autograder.course.errors import UsageError
from autograder.course.kinds import Mark, form_of, ids_of
from autograder.course.model import Key, Lesson, Question
from autograder.course.own_practice import Own, key_of, place_of, practised, relabelled, who
from autograder.course.schema import did_you_mean
from autograder.grading.marking import mark
from autograder.grading.questions import VARIANTS, Functions, counting, namespace_of, question_text, variant, working
from autograder.learner.workspace import State, Workspace

STREAK = 3
NUMBER, CHOICE = 60, 20  # seconds that an answer takes, about


class Asked(msgspec.Struct, frozen=True):
    """A question with the numbers that it is asked with: the published ones, or those of a seed."""

    question: Question
    key: Key
    seed: int | None
    numbers: Mapping[str, float]


def choose(lesson: Lesson, state: State, wanted: str | None) -> Question | None:
    """Return the wanted question, or the first that is not mastered, core questions first; None when all are mastered."""
    questions = {question.id: question for question in practised(lesson)}
    if wanted is None:
        return next((question for question in in_order(lesson) if not mastered(state, question)), None)
    if wanted not in questions and wanted in ids_of(lesson.questions):
        raise UsageError(f"`{wanted}` counts, so nothing is marked here", "see it as you are asked it: `course practice --for-grading ID`")
    if wanted not in questions:
        raise UsageError(f"there is no question `{wanted}`", did_you_mean(wanted, questions, f"take one of {', '.join(questions)}"))
    return questions[wanted]


def in_order(lesson: Lesson) -> list[Question]:
    """Return the questions that are marked at home, the core before those that are optional."""
    return sorted(practised(lesson), key=lambda question: not question.core)


def core_minutes(lesson: Lesson) -> int:
    """Return how many minutes it takes to master the core without a mistake, rounded up to whole five minutes."""
    return 5 * math.ceil(sum(map(_seconds, filter(lambda question: question.core, practised(lesson)))) / 300)


def _seconds(question: Question) -> int:
    """Count a number for a minute, and a choice, or each line of a match, for 20 seconds."""
    if question.parts:
        return sum(map(_seconds, question.parts))
    chosen = CHOICE * len(form_of(question).keys or (1,))
    return (NUMBER if not question.choices else chosen) * (1 + STREAK if question.repeated else 1)


def draw(state: State, question: Question, *, fresh: bool, seed: int | None) -> int | None:
    """Return the given seed or a fresh one; None, for the published numbers, until these have been answered."""
    if seed is not None or not question.numbers:
        return seed if question.numbers else None
    done = [event.facts for event in state.events("practice", question.id)]
    if not fresh and not any(facts["right"] and facts["seed"] is None for facts in done):
        return None
    lately = {facts["seed"] for facts in done[-VARIANTS // 2 :]}
    return random.choice([one for one in range(VARIANTS) if one not in lately])


def sheet(lesson: Lesson, functions: Functions, student: str) -> list[tuple[Question, str]]:
    """Return each question that counts and its text, with the student's own numbers and order of choices; no answer is known here.

    Raise `UsageError` if practice does not count, or where the round is not known.
    """
    if lesson.practice == "open":
        raise UsageError("practice is open here: everybody answers the lesson's own numbers", "answer them with `course practice`")
    if not functions.token:
        fix = "take a release: `course release --out OUT --round GRADES`, with the folder that `course grade` writes"
        raise UsageError("this course is no release, so it does not know the round", fix)
    if not who(student):
        raise UsageError("whose questions?", "give your number, login or name as your course knows it: `--for-grading 501`")
    own = Own(functions.token, who(student))
    asked = [(relabelled(one, Key(), own)[0], counting(one, own.token, place_of(one, own), functions)) for one in lesson.questions]
    return [(question, question_text(question, numbers)) for question, numbers in asked]


def ask(workspace: Workspace, question: Question, seed: int | None, functions: Functions) -> Asked:
    """Return a question with the numbers of a seed."""
    return Asked(question, key_of(workspace.lesson, question), seed, variant(question, seed, functions))


def read_answer(question: Question, typed: str) -> Any:
    """Return a typed line as `answers.yaml` would hold it: a text, or a list of ids.

    Choices may be typed by their ids, their numbers or letters: of three, `2`, `b` and the second one's id are the same. Parts and
    matches are asked one by one, a match for each of its keys.
    """
    form, ids = form_of(question), ids_of(question.choices)
    if form.keys:
        return read_choice(typed, ids_of(question.options))
    if not form.listed:
        return read_choice(typed, ids) if ids else typed.strip()
    return [read_choice(word, ids) for word in words_written(typed)]


def prompt_of(question: Question) -> str:
    """Return in a few words what is to be typed."""
    form, count = form_of(question), len(question.options or question.choices)
    prompts = {
        "one": f"One of 1 to {count}",
        "several": "All that apply, like 1 2",
        "order": f"In the right order, like {' '.join(map(str, range(1, count + 1)))}",
        "match": f"one of 1 to {count}",
    }
    return prompts.get(form.control, form.expected.capitalize())


def read_choice(typed: str, ids: Sequence[str]) -> str:
    """Return the id that is meant by itself, by its place counted from 1, or by a letter; or what was typed, if none is."""
    word = typed.strip().rstrip(".)").lower()
    places = {name: one for place, one in enumerate(ids) for name in (str(place + 1), ascii_lowercase[place : place + 1])}
    return word if word in ids else places.get(word, typed.strip())


def answer(state: State | None, asked: Asked, given: Any, functions: Functions) -> Mark:
    """Mark an answer, and remember it in `state`, unless it cannot be read."""
    made = mark(asked.question, asked.key, given if asked.seed is None else {"seed": asked.seed, "answer": given}, functions)
    if state and made.readable:
        state.add("practice", asked.question.id, seed=asked.seed, right=made.outcome == "passed", misconception=made.misconception)
    return made


def for_answers(asked: Asked, given: Any) -> str:
    """Return the line of `answers.yaml` that submits an answer, with a decimal point."""
    value = _as_yaml(given)
    return f"{asked.question.id}: {value if asked.seed is None else f'{{seed: {asked.seed}, answer: {value}}}'}"


def _as_yaml(given: Any) -> str:
    if isinstance(given, dict):
        return "{" + ", ".join(f"{name}: {_as_yaml(value)}" for name, value in given.items()) + "}"
    return f"[{', '.join(given)}]" if isinstance(given, list) else str(given).replace(",", ".")


def shown_working(asked: Asked, functions: Functions) -> tuple[str, ...]:
    """Return the lines of the working with the numbers that were asked."""
    if functions.working:
        return functions.working(asked.question, asked.numbers)
    return working(asked.question, asked.key, asked.numbers, namespace_of(asked.question, functions))


def streak(state: State, question: Question) -> int:
    """Count the last fresh variants in a row that were right at the first try, each variant once."""
    count, tried = 0, set[int | None]()
    for event in state.events("practice", question.id):
        seed, right = event.facts["seed"], event.facts["right"]
        if not right:
            count = 0
        elif seed is not None and seed not in tried:
            count += 1
        tried.add(seed)
    return count


def mastered(state: State, question: Question) -> bool:
    """Return whether a question is mastered."""
    if question.repeated:
        return streak(state, question) >= STREAK
    return next((event.facts["right"] for event in reversed(list(state.events("practice", question.id)))), False)
