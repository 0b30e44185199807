"""The sentences that correct misconceptions, read without running what computes them."""

import ast
from contextlib import suppress

from autograder.course.errors import CourseError
from autograder.course.model import Lesson
from autograder.grading.attempt import known_misconceptions


def notes_of(lesson: Lesson) -> dict[str, str]:
    """Return what corrects each mistake, by its id, as Markdown: its sentence, or else the question and the answer of a card about it."""
    cards = {tag: f"{card.front} {card.back}" for card in reversed(lesson.cards) if not card.cloze for tag in card.tags}
    return cards | sentences_of(lesson)


def sentences_of(lesson: Lesson) -> dict[str, str]:
    """Return the sentence that corrects each misconception, by its id: of several, that of the exercise that comes first.

    The files are read and not run, since they may need a framework that takes seconds to load; a release has recorded them.
    """
    found: dict[str, str] = {}
    for exercise in lesson.exercises:
        with suppress(CourseError):  # what is damaged is told where it is needed
            found = ({one.id: one.sentence for one in known_misconceptions(exercise)} if exercise.recordings.is_file() else {}) | found
    files = [exercise.misconceptions for exercise in lesson.exercises]
    for path in dict.fromkeys((*files, *(file.with_name("practice.py") for file in files))):
        tree = ast.parse(path.read_bytes() if path.is_file() else b"")
        functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list)
        found = {node.name: " ".join(sentence.split()) for node in functions if (sentence := ast.get_docstring(node))} | found
    return found
