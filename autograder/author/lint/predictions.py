"""Rules for what readers predict: a question, what a guess is compared with, and the curve that it is looked up on."""

import re
from collections.abc import Iterator

import numpy as np

from autograder.author.lint.context import LintContext
from autograder.author.lint.lesson import CODE, agrees, blanked, is_number, line_of, value_of
from autograder.course.errors import Finding
from autograder.course.lesson_text import CURVE, plain_number, prediction
from autograder.course.text import FOLDED


def predictions(context: LintContext) -> Iterator[Finding]:
    text = blanked(CODE, context.lesson.text)
    for match in re.finditer(r"<details>|</details>|<summary>.*", text):
        line, rest = line_of(text, match.start()), text[match.end() :]
        if match[0] == "<details>" and not rest.lstrip().startswith("<summary>Predict first: "):
            yield Finding(context.text, line, "this folded answer has no question", "continue with <summary>Predict first: ...</summary>")
        if match[0] == "<details>" and "</details>" not in rest.partition("<details>")[0]:
            yield Finding(context.text, line, "this answer is never closed", "end it with </details>")
        if match[0].startswith("<summary>") and "</summary>" not in match[0]:
            yield Finding(context.text, line, "this question is never closed", "end it on its line with </summary>")
    for match in FOLDED.finditer(text):
        told = prediction(match)
        if told.choices and len(told.right) in (0, len(told.choices)):
            problem = f"{'every' if told.right else 'no'} choice of this prediction is right"
            yield Finding(context.text, line_of(text, match.start()), problem, "tick those that are right, and no others: - [x] ...")
        if told.ends and not plain_number(told.ends[0]) <= plain_number(told.number) <= plain_number(told.ends[1]):
            problem = f"{told.number} is not from {told.ends[0]} to {told.ends[1]}"
            yield Finding(context.text, line_of(text, match.start()), problem, "write the smaller end first, and the number between both")


def curves(context: LintContext) -> Iterator[Finding]:
    text = blanked(CODE, context.lesson.text)
    asked = [told.curve for match in FOLDED.finditer(text) if (told := prediction(match)).ends]
    for place in re.finditer(r"<!-- curve:.*?-->", text, re.DOTALL):
        line, match = line_of(text, place.start()), CURVE.fullmatch(place[0])
        if match is None:
            fix = "write <!-- curve: what it is; EXPRESSION; its numbers -->"
            yield Finding(context.text, line, "this curve has not three parts", fix)
            continue
        expression, heights = match["expression"], match["heights"].split()
        value = value_of(expression, context, line)
        if isinstance(value, Finding):
            yield value
        elif (match["name"], expression, tuple(heights)) not in asked:
            yield Finding(context.text, line, "this curve is of no prediction", "write it after a number and its range: **5** from 0 to 10")
        elif not isinstance(value, list | np.ndarray) or len(value) < 2 or not all(map(is_number, value)):
            yield Finding(context.text, line, f"`{expression}` is no list of numbers", "write an expression that gives two or more")
        elif len(heights) != len(value) or not all(map(agrees, heights, value)):
            written = " ".join(f"{height:.2f}" for height in value)
            yield Finding(context.text, line, f"`{expression}` gives other numbers", f"write {written}")
