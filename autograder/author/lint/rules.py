"""The rules of `course lint`, and running them."""

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from autograder.author.lint import exercises, images, mistakes, practice
from autograder.author.lint import lesson as lesson_rules
from autograder.author.lint import predictions as prediction_rules
from autograder.author.lint.context import LintContext, Rule
from autograder.course.errors import CourseError, Finding, raised_in
from autograder.course.loading import CONTENT, survey
from autograder.course.references import choose_lesson

_TEXT = (
    Rule("text-computed", "A number with an expression equals the expression's value.", lesson_rules.computed),
    Rule("text-tables", "A table with an expression above it contains the expression's values.", lesson_rules.tables),
    Rule("text-bare-numbers", "A decimal number of three or more digits is computed.", lesson_rules.bare_numbers),
    Rule("text-code", "Python in the text runs, block after block.", lesson_rules.code),
    Rule("text-length", "The main text is short, and read in the minutes that it names.", lesson_rules.length),
    Rule("text-sources", "If the text gives sources, each date, share and finding has one.", lesson_rules.sources),
    Rule("text-images", "An image exists in a light and a dark version, and has alt text.", images.in_text),
    Rule("text-links", "A link within the lesson points to a section.", lesson_rules.links),
    Rule("text-predictions", "Folded text answers a question to predict.", prediction_rules.predictions),
    Rule("text-curves", "A curve belongs to a prediction, and its numbers are those of its expression.", prediction_rules.curves),
    Rule("text-widgets", "Every widget is placed in the text and described in `widgets.yaml`.", lesson_rules.widgets),
    Rule("widget-images", "An image that takes a widget's place exists and has alt text.", images.for_widgets),
    Rule("text-glossary", "Each symbol and term of `glossary.yaml` occurs in the text, and its section exists.", lesson_rules.glossary),
    Rule("text-mistakes", "Notes show each mistake that the text warns of and no other, with computed numbers.", mistakes.shown),
    Rule("formulas", "Formulas and their braces are closed.", lesson_rules.formulas),
)
_RUNNABLE = Rule("exercise-runs", "Every Python file of the course can be imported, and its checks can be called.", exercises.runnable)
_WHOLE = (
    Rule("exercise-files", "Every file of checks, answers or misconceptions belongs to a starter.", exercises.strays),
    Rule("exercise-names", "No two checks or misconceptions of a file share a name.", exercises.twice),
    Rule("exercise-starters", "A starter has the functions of the answer, with the same parameters.", exercises.starters),
    Rule("exercise-hints", "Each function has at least two hints, and none contains a line of the answer.", exercises.hints),
    Rule("check-answers", "The course's own answer passes every check.", exercises.answers_pass),
    Rule("check-starters", "An untouched starter passes no check.", exercises.starters_fail),
    Rule("check-misconceptions", "Every misconception fails a check and is named as itself.", exercises.misconceptions_are_named),
    Rule("check-formulas", "A function that LINEAR names adds up the arguments that it names.", exercises.formulas_hold),
    Rule("check-crossing", "No expected value is sent as an argument before it is asked for.", exercises.nothing_crosses_early),
    Rule("check-recordings", "No two calls of the checks look the same when a release replays them.", exercises.recordable),
    Rule("unused-imports", "No Python file of the course imports what it does not use.", exercises.unused_imports),
    Rule("check-references", "The reference never receives the student's values.", exercises.references_stand_alone),
    Rule("misconception-leads", "A misconception names a function, a section and a card that exist.", exercises.misconception_names),
    Rule("misconception-cards", "A misconception named by a question is a function, or has a card.", practice.misconceptions),
    Rule(
        "text-warnings",
        "A misconception that the text warns of is a function, or named by a wrong choice.",
        lesson_rules.warnings,
    ),
    Rule("card-fronts", "No two cards have the same front.", practice.fronts),
    Rule("card-images", "A card's image exists and has alt text.", images.on_cards),
    Rule("question-functions", "A question's function and its misconceptions exist.", practice.functions),
    Rule(
        "question-published",
        "The published numbers distinguish every misconception from the right answer and from the others.",
        practice.published,
    ),
    Rule("question-variants", "In 50 variants the right answer passes and each misconception is recognised.", practice.variants),
    Rule("question-workings", "A computed answer has a working that ends in the answer.", practice.workings),
    Rule("question-sentences", "Each wrong choice has its own sentence.", practice.sentences),
    Rule("question-orders", "Items to be ordered are not shown in order.", practice.orders),
    Rule("map", "Each objective has sections, questions, exercises, cards and misconceptions.", lesson_rules.empty_cells),
)
RULES = (*_TEXT, _RUNNABLE, *_WHOLE)


def check_course(root: Path, only: str | None = None, more: Sequence[Rule] = ()) -> list[Finding]:
    """Return all findings of the course or of the lesson `only`, sorted by file and line; `more` are additional rules.

    Raises UsageError if there is no such lesson.
    """
    course, findings = survey(root)
    only = choose_lesson(course, only).id if only else None
    found = [replace(finding, rule="content") for finding in findings if only is None or only in finding.path.parts]
    for lesson in course.lessons:
        if only in (None, lesson.id):
            sound = not any(lesson.id in finding.path.parts for finding in findings)
            found += _lint(LintContext(root, lesson), more if sound else None)
    return sorted(found, key=lambda finding: (str(finding.path), finding.line or 0))


def _tried(rule: Rule, context: LintContext, told: list[Finding]) -> Iterator[Finding]:
    """Yield what a rule finds. Whatever it raises is a fault of the course too, unless one is `told` at that line already."""
    try:
        yield from rule.find(context)
    except CourseError as error:
        yield from (replace(one, path=context.within(one.path)) for one in error.findings)
    except (Exception, SystemExit) as error:
        fault = _fault(rule, error, context)
        if not any((one.path, one.line) == (fault.path, fault.line) for one in told):
            yield fault


def _fault(rule: Rule, error: BaseException, context: LintContext) -> Finding:
    """Return what was raised as a finding, at the last line of the course's own Python that it passed through."""
    cause: BaseException = error.__cause__ or error
    content = [context.root / name for name in CONTENT]
    files = [Path(frame.filename) for frame in traceback.extract_tb(cause.__traceback__)]
    own = [path for path in files if any(path.is_relative_to(place) for place in content)]
    if own:
        found = raised_in(own[-1], cause, "this line raises")
        return replace(found, path=context.within(found.path))
    words = f"{type(cause).__name__}: {cause}"
    return Finding(context.text, None, f"the rule `{rule.id}` cannot be tried: {words}", "look at what the rule is about")


def _lint(context: LintContext, more: Sequence[Rule] | None) -> list[Finding]:
    """Run the rules over a lesson, without duplicates; only those of the text if `more` is None or a file cannot be imported."""
    broken = [replace(finding, rule=_RUNNABLE.id) for finding in _tried(_RUNNABLE, context, [])] if more is not None else []
    found = list(broken)
    for rule in (*_TEXT, *_WHOLE, *more) if more is not None and not broken else _TEXT:
        found += [replace(finding, rule=rule.id) for finding in _tried(rule, context, found)]
    once = {(finding.path, finding.line, finding.problem): finding for finding in reversed(found)}
    return list(reversed(once.values()))
