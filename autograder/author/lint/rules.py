"""The rules, and the run over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from autograder.author.lint import exercises, practice
from autograder.author.lint import lesson as lesson_rules
from autograder.author.lint.context import LintContext, Rule
from autograder.course.errors import CourseError, Finding, UsageError
from autograder.course.loading import survey

_TEXT = (
    Rule("text-computed", "A number with an expression behind it is what the expression gives.", lesson_rules.computed),
    Rule("text-tables", "A table with an expression above it holds what the expression gives.", lesson_rules.tables),
    Rule("text-bare-numbers", "A number of three digits or more with a point is computed.", lesson_rules.bare_numbers),
    Rule("text-pictures", "A picture is there in light and dark, and says in words what it shows.", lesson_rules.pictures),
    Rule("text-links", "A link within the lesson leads to a section.", lesson_rules.links),
    Rule("text-warnings", "A misconception that the text names is on a card.", lesson_rules.warnings),
    Rule("text-predictions", "What is folded away is the answer to a question to predict.", lesson_rules.predictions),
    Rule(
        "text-widgets",
        "What can be played with is placed in the text, and what is placed there is in `widgets.yaml`.",
        lesson_rules.widgets,
    ),
    Rule("formulas", "Formulas and their braces are closed.", lesson_rules.formulas),
)
_RUNNABLE = Rule("exercise-runs", "The files of checks, answers and misconceptions can be run.", exercises.runnable)
_WHOLE = (
    Rule("exercise-files", "Each file of checks, answers and misconceptions belongs to a starter.", exercises.strays),
    Rule("exercise-names", "No check and no misconception takes the name of one above it, which would then be lost.", exercises.twice),
    Rule("exercise-starters", "A starter has the functions of the answer, with the same parameters.", exercises.starters),
    Rule("exercise-hints", "Each function has two hints or more, and none holds a line of the answer.", exercises.hints),
    Rule("check-answers", "The course's own answer passes every check.", exercises.answers_pass),
    Rule("check-starters", "An untouched starter passes no check.", exercises.starters_fail),
    Rule("check-misconceptions", "Every misconception fails a check and is named as itself.", exercises.misconceptions_are_named),
    Rule("check-crossing", "No expected value is sent as an argument before it is asked for.", exercises.nothing_crosses_early),
    Rule("check-references", "The reference is never given what the student's code returned.", exercises.references_stand_alone),
    Rule(
        "misconception-leads", "A misconception names a function, a section and a card that exist.", exercises.misconceptions_lead_somewhere
    ),
    Rule("misconception-cards", "A misconception that a question names is on a card.", practice.misconceptions),
    Rule("card-fronts", "No two cards ask the same.", practice.fronts),
    Rule("card-pictures", "A card's picture is there, and says in words what it shows.", lesson_rules.card_pictures),
    Rule("question-functions", "A question's function and its misconceptions exist.", practice.functions),
    Rule(
        "question-published",
        "The published numbers tell every misconception from the right answer and from the others.",
        practice.published,
    ),
    Rule("question-variants", "In 50 variants the right answer passes, and each misconception is told as itself.", practice.variants),
    Rule("question-workings", "A computed answer has its working, and the working ends in the answer.", practice.workings),
    Rule("question-sentences", "Each wrong choice has a sentence of its own.", practice.sentences),
    Rule("question-orders", "What is to be put in order does not stand in it.", practice.orders),
    Rule("map", "Each objective has sections, questions, exercises, cards and misconceptions.", lesson_rules.empty_cells),
)
RULES = (*_TEXT, _RUNNABLE, *_WHOLE)


def check_course(root: Path, only: str | None = None, more: Sequence[Rule] = ()) -> list[Finding]:
    """Return all findings, by file and line: what `content` refuses, then what breaks a rule; `more` are rules of the caller's.

    `only` is a lesson's id. Raises UsageError where there is no such lesson.
    """
    course, findings = survey(root)
    if only is not None and only not in [lesson.id for lesson in course.lessons]:
        raise UsageError(f"there is no lesson `{only}`", f"take one of {', '.join(lesson.id for lesson in course.lessons)}")
    found = [replace(finding, rule="content") for finding in findings if only is None or only in finding.path.parts]
    for lesson in course.lessons:
        if only in (None, lesson.id):
            sound = not any(lesson.id in finding.path.parts for finding in findings)
            found += _lint(LintContext(root, lesson), more if sound else None)
    return sorted(found, key=lambda finding: (str(finding.path), finding.line or 0))


def _lint(context: LintContext, more: Sequence[Rule] | None) -> list[Finding]:
    """Run the rules over a lesson: those of the text alone where `more` is None or a file cannot be run. Tell nothing twice."""
    broken = [replace(finding, rule=_RUNNABLE.id) for finding in _RUNNABLE.find(context)] if more is not None else []
    found = list(broken)
    for rule in (*_TEXT, *_WHOLE, *more) if more is not None and not broken else _TEXT:
        try:
            found += [replace(finding, rule=rule.id) for finding in rule.find(context)]
        except CourseError as error:
            found += [replace(finding, rule=rule.id, path=_below(context.root, finding.path)) for finding in error.findings]
    once = {(finding.path, finding.line, finding.problem): finding for finding in reversed(found)}
    return list(reversed(once.values()))


def _below(root: Path, path: Path) -> Path:
    return path.relative_to(root) if path.is_absolute() else path
