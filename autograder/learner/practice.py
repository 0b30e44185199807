"""Practice in the terminal: one question, one answer, what it says at once. Mastered is what a streak of fresh variants shows.

A question with numbers is mastered by three fresh variants in a row, each right at the first try; one without, by being
answered right when it was last asked. A wrong answer costs the streak and nothing else.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from autograder.course.errors import UsageError
from autograder.course.model import Key, Lesson, Question
from autograder.grading.marking import Mark, mark
from autograder.grading.questions import Functions, functions_of, namespace_of, question_text, variant, working
from autograder.learner.workspace import State, Workspace

STREAK = 3
_NUMBER = re.compile(r"[-+−]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?")
VARIANTS = 50  # as many as a student release has recorded


class Asked(msgspec.Struct, frozen=True):
    """A question as it is asked: with the published numbers, or with those of a seed."""

    question: Question
    key: Key
    seed: int | None
    numbers: Mapping[str, float]

    @property
    def text(self) -> str:
        return question_text(self.question, self.numbers)

    @property
    def stem(self) -> Question:
        """The question without its parts."""
        return msgspec.structs.replace(self.question, parts=())


def choose(lesson: Lesson, state: State, wanted: str | None) -> Question | None:
    """Find the question that is asked for, or the first that is not mastered, the core ones first; None when all are."""
    questions = {question.id: question for question in lesson.questions}
    if wanted is None:
        order = sorted(lesson.questions, key=lambda question: not question.core)
        return next((question for question in order if not mastered(state, question)), None)
    if wanted not in questions:
        near = difflib.get_close_matches(wanted, questions, 1)
        fix = f"did you mean `{near[0]}`?" if near else f"take one of {', '.join(questions)}"
        raise UsageError(f"there is no question `{wanted}`", fix)
    return questions[wanted]


def draw(state: State, question: Question, *, fresh: bool, seed: int | None) -> int | None:
    """Choose the seed: the one that is asked for, a fresh one, or none (the published numbers) while these are not yet done."""
    if seed is not None or not question.numbers:
        return seed if question.numbers else None
    done = [event.facts for event in state.events("practice", question.id)]
    if not fresh and not any(facts["right"] and facts["seed"] is None for facts in done):
        return None
    lately = {facts["seed"] for facts in done[-VARIANTS // 2 :]}
    return random.choice([one for one in range(VARIANTS) if one not in lately])


def ask(workspace: Workspace, question: Question, seed: int | None, functions: Functions) -> Asked:
    """Ask a question with the numbers of a seed."""
    return Asked(question, workspace.lesson.keys.get(question.id, Key()), seed, variant(question, seed, functions))


def functions_for(workspace: Workspace) -> Functions:
    """Give the functions that answer the lesson's questions."""
    return functions_of(workspace.root, workspace.lesson)


def read_answer(question: Question, typed: str) -> Any:
    """Turn what was typed into what `answers.yaml` would hold: a text, or a list of ids. Parts and matches are asked one by one."""
    typed = typed.strip()
    if question.kind == "order" or (question.kind == "choice" and question.several):
        return [word for word in re.split(r"[\s,;\[\]]+", typed) if word]
    return typed


def answer(state: State, asked: Asked, given: Any, functions: Functions) -> Mark:
    """Mark an answer, and write it down; what is no number where one was asked for is told so, and not counted."""
    held = given if asked.seed is None else {"seed": asked.seed, "answer": given}
    made = mark(asked.question, asked.key, held, functions)
    if asked.question.kind == "number" and not _NUMBER.fullmatch(str(given).strip()):
        return made
    state.add("practice", asked.question.id, seed=asked.seed, right=made.outcome == "passed", misconception=made.misconception)
    return made


def for_answers(asked: Asked, given: Any) -> str:
    """Write an answer as the line of `answers.yaml` that hands it in."""
    value = _as_yaml(given)
    return f"{asked.question.id}: {value if asked.seed is None else f'{{seed: {asked.seed}, answer: {value}}}'}"


def _as_yaml(given: Any) -> str:
    if isinstance(given, dict):
        return "{" + ", ".join(f"{name}: {_as_yaml(value)}" for name, value in given.items()) + "}"
    return f"[{', '.join(given)}]" if isinstance(given, list) else str(given)


def shown_working(asked: Asked, functions: Functions) -> tuple[str, ...]:
    """Give the working with the reader's numbers, line by line."""
    return working(asked.question, asked.key, asked.numbers, namespace_of(asked.question, functions))


def streak(state: State, question: Question) -> int:
    """Count the fresh variants in a row, up to the last one, that were right at the first try; a variant counts once."""
    row: list[int] = []
    tried: set[int | None] = set()
    for event in state.events("practice", question.id):
        seed, right = event.facts["seed"], event.facts["right"]
        if not right:
            row = []
        elif seed is not None and seed not in tried and seed not in row:
            row.append(seed)
        tried.add(seed)
    return len(row)


def mastered(state: State, question: Question) -> bool:
    """Say whether a question is mastered."""
    if question.numbers:
        return streak(state, question) >= STREAK
    return next((event.facts["right"] for event in reversed(list(state.events("practice", question.id)))), False)
