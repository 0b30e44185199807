"""What a person decides in place of the grader: what it counts, whose it is, and what cannot be decided."""

import pytest
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn, Override
from autograder.course.policy import Late, Policy
from autograder.instructor.gradebook import Attempted, Gradebook, Kept
from autograder.instructor.grades import GradingRules, grades, read_rules, student_grades
from autograder.instructor.outputs import ON_HOLD, student_markdown, student_page
from autograder.instructor.overrides import Target, drop, find_target, in_force, make_override, with_overridden, withdrawals
from autograder.instructor.roster import Person
from autograder.instructor.sheet import points_cell, sheet_of, unjudged
from tests.autograder.instructor.grades.test_grades import BY_HAND, DUE, JUMP, at, override, result

LESSON = "12_diffusion"
KEY = ("Ada", LESSON, "forward")
LATE = at("2026-11-20T13:00:00Z")  # a day


def whole(kind, points=0.0, **changes):
    return replace(override(check="", points=points), kind=kind, **changes)


def counted(*decided, handed_in=HandedIn(), policy=Policy(due=DUE, late=Late(10)), **changes):  # noqa: B008  # frozen
    overrides = in_force(decided, {})
    return GradingRules(policy, {}, overrides, {}).grade(Attempted(result(**changes), {}, handed_in))


# ---- what it counts; the grader gave 8 of 10


COUNTS = {  # decided -> what counts in time, and a day late
    "nothing": ((), 8.0, 7.2),
    "a check": ((override(points=4.0),), 10.0, 9.0),
    "the exercise": ((whole("points", 5.0),), 5.0, 5.0),
    "the exercise, and a check": ((override(points=4.0), whole("points", 5.0)), 5.0, 5.0),
    "a bonus above the maximum": ((whole("bonus", 3.0),), 11.0, 10.2),
    "a deduction": ((whole("deduction", 3.0),), 5.0, 4.2),
    "a deduction below nothing": ((whole("deduction", 30.0),), 0.0, 0.0),
    "all of them": ((whole("deduction", 1.0), whole("bonus", 3.0), whole("points", 5.0)), 7.0, 7.0),
    "two bonuses, of which the last counts": ((whole("bonus", 3.0), whole("bonus", 1.0)), 9.0, 8.2),
    "one that is withdrawn": ((whole("bonus", 3.0), whole("bonus", 3.0, withdrawn=True)), 8.0, 7.2),
    "one that is given again": ((whole("bonus", 3.0), whole("bonus", withdrawn=True), whole("bonus", 1.0)), 9.0, 8.2),
}


@pytest.mark.parametrize(("decided", "in_time", "late"), COUNTS.values(), ids=COUNTS.keys())
def test_points_for_a_check_count_before_lateness_and_all_else_after_it(decided, in_time, late):
    assert (counted(*decided).final, counted(*decided, handed_in=LATE).final) == (in_time, late)


CUT = {  # decided, the checks now -> what counts, and what is told
    "a lowered check": ((override(points=4.0),), (replace(BY_HAND, max_points=3), JUMP), 9.0, "your 4 points for forward.by_hand count 3, its maximum now"),
    "a check that is gone": ((override(points=4.0),), (JUMP,), 6.0, "your 4 points for forward.by_hand count nothing, because it no longer exists"),
    "a check of no points that is gone": ((override(points=0.0),), (JUMP,), 6.0, "your 0 points for forward.by_hand count nothing, because it no longer exists"),
    "a smaller exercise": ((whole("points", 9.0),), (JUMP,), 6.0, "your 9 points for forward count 6, its maximum now"),
}  # fmt: skip


@pytest.mark.parametrize(("decided", "checks", "final", "told"), CUT.values(), ids=CUT.keys())
def test_an_override_above_the_maximum_is_cut_and_told(decided, checks, final, told):
    grade = counted(*decided, checks=checks)
    assert (grade.final, grade.cut) == (final, (f"Ada: {told}",))
    assert grade.final <= grade.result.max_score


def test_where_nothing_was_graded_overrides_of_checks_are_cut_at_the_exercises_maximum():
    decided = (override(points=4.0), override("jump", 6.0), override("gone", 3.0))
    grade = counted(*decided, checks=(), status="missing", max_score=10.0)
    assert (grade.final, grade.cut) == (10.0, ("Ada: your 3 points for forward.gone count 0, its maximum now",))


def book_of(tmp_path, *decided, people=(), exercises=("forward", "practice"), policy=Policy(), **changes):  # noqa: B008  # frozen
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("run", {}, people=people)
        book.keep("run", [Kept(result(exercise=name, **changes), {}, HandedIn()) for name in exercises])
        book.override(*decided)
        rules = read_rules(tmp_path, book, policy)
        sheet = sheet_of(book, "run", rules, {}, {}, {})
        return list(student_grades(book, "run", rules)), list(sheet.rows()), sheet


def test_what_is_excused_does_not_count(tmp_path):
    [student], [row], sheet = book_of(tmp_path, whole("excused"), whole("points", 4.0, exercise="practice"), policy=Policy(pass_mark=50))
    assert (student.percent, student.passed) == (40.0, False)
    assert [points_cell(row.grades[name], sheet) for name in ("forward", "practice")] == ["", "4"]
    assert "You are excused from this exercise, so it does not count: the idea was right" in student_markdown(student, {}, Policy())


def test_a_student_who_is_excused_from_everything_has_no_total(tmp_path):
    [student], _, _ = book_of(tmp_path, whole("excused", lesson="", exercise=""))
    assert (student.percent, [grade.excused for grade in student.grades.values()]) == (None, [True, True])


def test_of_a_student_on_hold_nothing_is_given_out(tmp_path):
    [student], [row], _ = book_of(tmp_path, whole("on_hold", lesson="", exercise="", reason="copied?"))
    assert (student.percent, student.on_hold) == (80.0, True)
    assert (row.grades, row.percent, row.passed, unjudged(row)) == ({}, None, None, ["Ada: on hold"])
    assert student_markdown(student, {}, Policy()) == f"# Ada\n\n{ON_HOLD}\n"
    page = student_page(student, {}, Policy())
    assert ON_HOLD in page
    assert not any(word in page for word in ("copied", "forward", "80"))


@pytest.mark.parametrize(("missing", "cell"), [("zero", "0"), ("blank", "")])
def test_missing_work_is_exported_as_the_policy_says(tmp_path, missing, cell):
    _, [row], sheet = book_of(tmp_path, status="missing", checks=(), max_score=10.0, policy=Policy(missing=missing))
    assert points_cell(row.grades["forward"], sheet) == cell
    assert row.percent == 0, "the total counts it all the same"


def test_missing_work_that_was_decided_on_is_not_blank(tmp_path):
    _, [row], sheet = book_of(tmp_path, whole("points", 3.0), status="missing", checks=(), max_score=10.0, policy=Policy(missing="blank"))
    assert [points_cell(row.grades[name], sheet) for name in ("forward", "practice")] == ["3", ""]


def test_a_student_reads_what_was_decided_and_what_counts(tmp_path):
    [student], _, _ = book_of(tmp_path, whole("bonus", 3.0, reason="a fine plot"), whole("deduction", 1.0), exercises=("forward",))
    assert student_markdown(student, {}, Policy(reveal="nothing")) == (
        "# Ada\n\n## forward: 8 of 10 points\n\nYour instructor added 3 points: a fine plot\n\n"
        "Your instructor deducted 1 points: the idea was right\n\nIn all, 10 points count.\n"
    )


# ---- whose it is


def test_what_was_decided_follows_the_person_and_not_the_name(tmp_path):
    """Jane is renamed because of a namesake, who then has the name alone."""
    jane, namesake = Person("Jane (11)", "11", key="Jane"), Person("Jane", "44", key="Jane (44)")
    found = in_force([override(student="Jane")], {one.student: one for one in (jane, namesake)})
    assert list(found) == [("Jane (11)", LESSON, "forward")]
    made = make_override(namesake, Target(LESSON, "forward"), "bonus", 1.0, 10.0, "x")
    assert made.student == "Jane (44)"


def test_who_is_dropped_is_in_no_list_and_loses_nothing(tmp_path):
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("1", {})
        book.keep("1", [Kept(result("Ada")), Kept(result("Bo"))])
        book.override(override(), drop(Person("Ada"), "left", undo=False))
        assert (book.students("1"), book.dropped(), [one.student for one in book.results("1")]) == ({"Bo"}, {"Ada"}, ["Bo"])
        assert [one.result.student for _, one in book.added("1", (0, 0))[1]] == ["Bo"]
        book.begin("2", {}, "1")
        assert book.students("2") == {"Bo"}
        book.override(drop(Person("Ada"), "came back", undo=True))
        assert book.students("2") == {"Ada", "Bo"}
        assert [grade.final for grade in grades(book, "2", read_rules(tmp_path, book, Policy()))] == [10.0, 8.0]
        assert [one.reason for one in book.overrides("Ada")] == ["the idea was right", "left", "came back"]


# ---- what is meant, and what cannot be decided


CHECKS = {(LESSON, "forward"): {"by_hand": 4.0, "jump": 6.0}, (LESSON, "ddim"): {"jump": 3.0}}
TARGETS = {
    "": Target(),
    "forward": Target(LESSON, "forward"),
    "by_hand": Target(LESSON, "forward", "by_hand"),
    "ddim.jump": Target(LESSON, "ddim", "jump"),
}


@pytest.mark.parametrize(("word", "target"), TARGETS.items(), ids=map(repr, TARGETS))
def test_an_exercise_or_a_check_is_meant_by_its_name(word, target):
    assert find_target(word, CHECKS) == target


UNKNOWN = {
    "another check": ("by_hnd", "no check `by_hnd` was graded for this student\n  fix: choose one, as EXERCISE.CHECK: forward.by_hand"),
    "no check like it": ("zzz", "no check `zzz` was graded for this student\n  fix: choose one, as EXERCISE.CHECK: forward.by_hand, forward.jump, ddim.jump"),
    "two of that name": ("jump", "several exercises have a check `jump`\n  fix: choose one of: forward.jump, ddim.jump"),
}


@pytest.mark.parametrize(("word", "message"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_is_not_there_is_told_in_full(word, message):
    with pytest.raises(UsageError) as caught:
        find_target(word, CHECKS)
    assert str(caught.value) == message


CHECK, EXERCISE, ALL = TARGETS["by_hand"], TARGETS["forward"], TARGETS[""]
REASON = "say why, for the student and the record"
DECIDED = {
    "too many points": (CHECK, "points", 4.5, "x", "4.5 points for forward.by_hand, which has 4\n  fix: give 0 to 4 points"),
    "below nothing": (CHECK, "points", -1, "x", "-1 points for forward.by_hand, which has 4\n  fix: give 0 to 4 points"),
    "not a number": (CHECK, "points", float("nan"), "x", "nan points for forward.by_hand, which has 4\n  fix: give 0 to 4 points"),
    "too many for an exercise": (EXERCISE, "points", 4.5, "x", "4.5 points for forward, which has 4\n  fix: give 0 to 4 points"),
    "no reason": (CHECK, "points", 1, " ", f"the reason is empty\n  fix: {REASON}"),
    "points for everything": (ALL, "points", 0, "x", "points are for one exercise or check, not for everything\n  fix: choose which"),
    "a bonus of nothing": (EXERCISE, "bonus", 0, "x", "a bonus of 0 points\n  fix: give more than 0: a bonus adds points, and a deduction takes them away"),
    "a deduction without end": (EXERCISE, "deduction", float("inf"), "x", "a deduction of inf points\n  fix: give more than 0: a bonus adds points, and a deduction takes them away"),
    "a bonus for a check": (CHECK, "bonus", 1, "x", "a bonus for forward.by_hand\n  fix: give it for an exercise"),
    "a check on hold": (CHECK, "on_hold", 0, "x", "forward.by_hand cannot be put on hold alone\n  fix: hold back everything of the student"),
    "a check excused": (CHECK, "excused", 0, "x", "forward.by_hand cannot be excused alone\n  fix: excuse the whole exercise"),
}  # fmt: skip


@pytest.mark.parametrize(("target", "kind", "points", "reason", "message"), DECIDED.values(), ids=DECIDED.keys())
def test_what_cannot_be_decided_is_told_in_full(target, kind, points, reason, message):
    with pytest.raises(UsageError) as caught:
        make_override(Person("Ada"), target, kind, points, 4.0, reason)
    assert str(caught.value) == message


def test_what_is_withdrawn_is_what_was_decided_there():
    own = in_force([override(), whole("bonus", 1.0), whole("excused"), whole("on_hold", lesson="", exercise="")], {})
    for target, kinds in ((CHECK, ["points"]), (EXERCISE, ["bonus", "excused"]), (ALL, ["on_hold"])):
        made = withdrawals(own, target, "a mistake of mine")
        assert [(one.kind, one.withdrawn, one.reason) for one in made] == [(kind, True, "a mistake of mine") for kind in kinds]


def test_an_override_of_a_check_that_is_gone_can_be_withdrawn():
    own = in_force([override("gone")], {})
    assert find_target("gone", with_overridden(CHECKS, own)) == Target(LESSON, "forward", "gone")


NOTHING = {
    "something else": ([whole("bonus", 1.0)], "nothing is overridden for forward.by_hand\n  fix: choose one of: forward"),
    "nothing at all": ([], "nothing is overridden for forward.by_hand\n  fix: leave --withdraw out to override something"),
}


@pytest.mark.parametrize(("decided", "message"), NOTHING.values(), ids=NOTHING.keys())
def test_nothing_to_withdraw_is_told_in_full(decided, message):
    with pytest.raises(UsageError) as caught:
        withdrawals(in_force(decided, {}), CHECK, "x")
    assert str(caught.value) == message


def test_an_early_gradebooks_override_is_still_in_force():
    """It has no kind, and is known by the name that the student had."""
    old = Override("Ada", LESSON, "forward", "by_hand", 4.0, "right", "")
    assert in_force([old], {"Ada": Person("Ada", "501")}) == {KEY: {"by_hand": old}}
