"""A class with results of several lessons: names, weights, due dates, extensions, decisions and columns are by lesson and exercise."""

from datetime import UTC, datetime

import pytest

from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, HandedIn
from autograder.course.policy import Late, Limits, Policy, limits_for, setting_of
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import grades, read_rules, student_grades
from autograder.instructor.measures import measure
from autograder.instructor.outputs import student_markdown
from autograder.instructor.overrides import Target, find_target
from autograder.instructor.sheet import sheet_of
from tests.autograder.instructor.grades.test_grades import DUE, result

EDGES, DIFFUSION = "13_edges", "12_diffusion"
TOLD = CheckResult("places", "Places", 0, 4, "failed", "wrong", "words", "padding", "filters", "size")


@pytest.fixture
def book(tmp_path):
    """Two runs, the second of another lesson: both have an exercise `forward`."""
    at = HandedIn(at=datetime(2026, 11, 20, 13, tzinfo=UTC))  # an hour late
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("one", {})
        book.keep("one", [Kept(result(), handed_in=at), Kept(result("Bo"), handed_in=at)])
        book.begin("two", {}, "one")
        book.keep("two", [Kept(result(lesson=EDGES, checks=(TOLD,)), handed_in=at), Kept(result(lesson=EDGES, exercise="edges"), handed_in=at)])
        yield book


def rules_of(book, policy=Policy()):  # noqa: B008  # frozen
    return read_rules(book.path.parent, book, policy)


def test_exercises_are_called_by_their_lesson_only_where_there_are_several(book):
    rules = rules_of(book)
    assert [grade.name for grade in grades(book, "two", rules)] == ["12_diffusion/forward", "13_edges/edges", "13_edges/forward", "12_diffusion/forward"]
    with Gradebook(book.path) as alone:
        alone.begin("three", {})
        alone.keep("three", [Kept(result(lesson=EDGES))])
        assert [grade.name for grade in grades(alone, "three", rules_of(alone))] == ["forward"]


WEIGHTS = {  # policy -> the total of a student with 8 of 10 and 8 of 10 points in the first and 0 of 4 and 8 of 10 in the second lesson
    "by points": (Policy(), round(100 * 16 / 24, 2)),
    "an exercise of one lesson": (Policy(weights={EDGES: {"forward": 0}}), 80.0),
    "an exercise of every lesson": (Policy(weights={"forward": 0}), 80.0),
    "below the lesson before by its name": (Policy(weights={"forward": 0, DIFFUSION: {"forward": 10}}), 80.0),
    "lessons": (Policy(lesson_weights={DIFFUSION: 1, EDGES: 3}), round((80 + 3 * 100 * 8 / 14) / 4, 2)),
    "a lesson that counts nothing": (Policy(lesson_weights={EDGES: 0}), 80.0),
    "both": (Policy(weights={EDGES: {"forward": 1, "edges": 1}}, lesson_weights={DIFFUSION: 1, EDGES: 1}), 60.0),
}


@pytest.mark.parametrize(("policy", "percent"), WEIGHTS.values(), ids=WEIGHTS)
def test_a_course_is_put_together_by_the_weights_of_its_lessons(book, policy, percent):
    ada, bo = student_grades(book, "two", rules_of(book, policy))
    assert (ada.percent, bo.percent) == (percent, None if policy.weights.get("forward") == 0 and not policy.weights.get(DIFFUSION) else 80.0)
    assert bo.percents in ({DIFFUSION: 80.0}, {})


def test_a_setting_below_its_lesson_comes_before_its_own_name_and_that_before_the_lesson():
    table = {"forward": 1, EDGES: {"forward": 2}, DIFFUSION: 3}
    assert [setting_of(table, EDGES, one) for one in ("forward", "edges")] == [2, None]
    assert [setting_of(table, DIFFUSION, one) for one in ("forward", "ddim")] == [1, 3]
    policy = Policy(limits_of={EDGES: {"edges": Limits(call_seconds=9)}})
    assert [limits_for(policy, EDGES, one).call_seconds for one in ("edges", "forward")] == [9, 2]


def test_due_dates_and_extensions_are_by_lesson_and_exercise(book):
    later = datetime(2026, 12, 1, tzinfo=UTC)
    policy = Policy(due=DUE, due_of={EDGES: later, DIFFUSION: {"ddim": later}}, late=Late(10))
    late = {grade.name: grade.days_late for grade in grades(book, "two", rules_of(book, policy))}
    assert late == {"12_diffusion/forward": 1, "13_edges/edges": 0, "13_edges/forward": 0}
    for cell, wanted in {"": 0, DIFFUSION: 0, "12_diffusion/forward": 0, "forward": 0, EDGES: 1, "13_edges/forward": 1}.items():
        (book.path.parent / "extensions.csv").write_text(f"student,due,exercise\nAda,2026-12-24 23:59+01:00,{cell}\n")
        ada = next(student_grades(book, "two", rules_of(book, policy)))
        assert ada.grades["12_diffusion/forward"].days_late == wanted, cell


def test_the_feedback_names_the_lesson_and_the_sections_of_its_own(book):
    sections = {EDGES: {"filters": "Filters of images"}, DIFFUSION: {"filters": "Something else"}}
    ada = next(student_grades(book, "two", rules_of(book)))
    text = student_markdown(ada, sections, Policy())
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## 12_diffusion/forward: 8 of 10 points", "## 13_edges/edges: 8 of 10 points", "## 13_edges/forward: 0 of 4 points",
    ]  # fmt: skip
    assert "Reread: Filters of images" in text


def test_the_measures_of_equal_names_are_apart(book):
    made = measure(student_grades(book, "two", rules_of(book)), ["12_diffusion/forward", "13_edges/forward"])
    assert {name: one.statuses.total() for name, one in made.exercises.items()} == {"12_diffusion/forward": 2, "13_edges/forward": 1, "13_edges/edges": 1}
    assert [(one.lesson, one.exercise, one.students) for one in made.by_misconceptions()] == [(EDGES, "13_edges/forward", 1)]


def test_an_export_is_of_all_lessons_of_one_or_of_named_exercises(book):
    def columns(*exercises, lesson="", **titles):
        sheet = sheet_of(book, "two", rules_of(book), titles, {}, {}, exercises, lesson)
        assert sheet.students == sum(1 for _ in sheet.rows())
        return [(column.lesson, column.exercise, column.title) for column in sheet.columns]

    assert columns() == [(DIFFUSION, name := "12_diffusion/forward", name), (EDGES, one := "13_edges/edges", one), (EDGES, two := "13_edges/forward", two)]
    assert columns(lesson=EDGES) == columns()[1:]
    assert columns("edges", "12_diffusion/forward") == columns()[:2]
    assert columns("forward", lesson=EDGES, forward="Filters (4711)") == [(EDGES, "13_edges/forward", "Filters (4711)")]
    with pytest.raises(UsageError) as told:
        columns("forward")
    assert str(told.value) == "several lessons have an exercise `forward`\n  fix: name one of: 12_diffusion/forward, 13_edges/forward"


CHECKS = {(DIFFUSION, "forward"): {"by_hand": 4.0}, (EDGES, "forward"): {"places": 4.0}, (EDGES, "edges"): {"by_hand": 1.0}}


@pytest.mark.parametrize(("word", "told"), [("13_edges/forward", "13_edges/forward"), ("edges", "13_edges/edges"), ("places", "13_edges/forward.places"),
                                            ("12_diffusion/forward.by_hand", "12_diffusion/forward.by_hand")])  # fmt: skip
def test_a_decision_names_the_lesson_where_it_has_to(word, told):
    found = find_target(word, CHECKS, several=True)
    assert str(found) == told
    assert found == Target(found.lesson, found.exercise, found.check, several=True)


@pytest.mark.parametrize(("word", "told"), [
    ("forward", "several lessons have an exercise `forward`\n  fix: choose one of: 12_diffusion/forward, 13_edges/forward"),
    ("by_hand", "several exercises have a check `by_hand`\n  fix: choose one of: 12_diffusion/forward.by_hand, 13_edges/edges.by_hand"),
])  # fmt: skip
def test_a_decision_that_may_be_for_several_lessons_is_refused(word, told):
    with pytest.raises(UsageError) as caught:
        find_target(word, CHECKS, several=True)
    assert str(caught.value) == told


def test_an_extension_for_what_no_lesson_has_is_told(book):
    (book.path.parent / "extensions.csv").write_text("student,due,exercise\nAda,2026-12-24 23:59+01:00,13_edges/edge\n")
    course_lessons = ()
    assert list(rules_of(book).unmatched({"Ada"}, course_lessons)) == ["extensions.csv: no exercise `13_edges/edge`, for Ada"]
