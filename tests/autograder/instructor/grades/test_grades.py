"""What results count: lateness, extensions, decisions, which attempt, weights and the pass mark. Results stay as they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.model import CheckResult, HandedIn, Override, Result
from autograder.course.policy import Late, Policy
from autograder.instructor.gradebook import Attempted, Gradebook, Kept
from autograder.instructor.grades import GradingRules, grades, read_extensions, read_rules, student_grades
from autograder.instructor.identity import find_student
from autograder.instructor.roster import Person

DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY_HAND = CheckResult("by_hand", "By hand", 2, 4, "failed", "wrong", "words")
JUMP = CheckResult("jump", "The jump", 6, 6, "passed")


def result(student="Ada", exercise="forward", checks=(BY_HAND, JUMP), **changes):
    score, most = sum(c.points for c in checks), sum(c.max_points for c in checks)
    one = Result(student, "12_diffusion", exercise, "graded", score, most, checks, "", "0", "round-1", "2026-01-01T00:00:00+00:00", "0.1.0")
    return msgspec.structs.replace(one, **changes)


def counted(handed_in=HandedIn(), policy=Policy(due=DUE, late=Late(10)), decided=(), people=(), extensions=None, **changes):  # noqa: B008  # frozen
    key = ("Ada", "12_diffusion", "forward")
    rules = GradingRules(policy, {one.student: one for one in people}, {key: {one.check: one for one in decided}}, extensions or {})
    return rules.grade(Attempted(result(**changes), {}, handed_in))


def at(text):
    return HandedIn(at=datetime.fromisoformat(text))


LATE = {
    "in time": (at("2026-11-20T12:00:00Z"), Late(10), 0, 8.0),
    "a second late": (at("2026-11-20T12:00:01Z"), Late(10), 1, 7.2),
    "in another zone, in time": (at("2026-11-20T13:00:00+01:00"), Late(10), 0, 8.0),
    "within the grace": (at("2026-11-20T12:15:00Z"), Late(10, grace_minutes=15), 0, 8.0),
    "a day and a minute": (at("2026-11-21T12:01:00Z"), Late(10), 2, 6.4),
    "a day and a minute, once": (at("2026-11-21T12:01:00Z"), Late(10, per="hand-in"), 2, 7.2),
    "a month, at most half": (at("2026-12-20T12:00:00Z"), Late(10, most=50), 30, 4.0),
    "a month": (at("2026-12-20T12:00:00Z"), Late(10), 30, 0.0),
    "late by the platform's word": (HandedIn(late=True), Late(10), 1, 7.2),
    "late, and no rule": (at("2026-11-21T12:00:00Z"), None, 1, 8.0),
    "late by the platform's word, and how much": (HandedIn(late=True, minutes_late=98 * 60), Late(10), 5, 4.0),
    "no time known": (HandedIn(), Late(10), 0, 8.0),
}


@pytest.mark.parametrize(("handed_in", "late", "days", "final"), LATE.values(), ids=LATE.keys())
def test_lateness_takes_its_share_of_what_was_earned(handed_in, late, days, final):
    grade = counted(handed_in, Policy(due=DUE, late=late))
    assert (grade.days_late, grade.final, grade.result.score, grade.score) == (days, final, 8.0, 8.0)


BERLIN = ZoneInfo("Europe/Berlin")
CLOCKS = {  # due, handed in, days late by Berlin's clock
    "in the last minute": ("2026-11-20 23:59", "2026-11-20T23:59:59.9+01:00", 0),
    "a second after it": ("2026-11-20 23:59", "2026-11-21T00:00:00+01:00", 1),
    "at the end of the next day": ("2026-11-20 23:59", "2026-11-21T23:59:30+01:00", 1),
    "a day of 25 hours": ("2026-10-24 23:59", "2026-10-25T23:30:00+01:00", 1),
    "the day after one of 25 hours": ("2026-10-24 23:59", "2026-10-26T00:30:00+01:00", 2),
    "a day of 23 hours": ("2026-03-28 23:59", "2026-03-29T23:30:00+02:00", 1),
    "the day after one of 23 hours": ("2026-03-28 23:59", "2026-03-30T00:30:00+02:00", 2),
    "in another zone": ("2026-10-24 23:59", "2026-10-25T22:30:00Z", 1),
    "in the hour that comes twice": ("2026-10-25 01:59", "2026-10-25T02:30:00+01:00", 1),
}


@pytest.mark.parametrize(("due", "handed_in", "days"), CLOCKS.values(), ids=CLOCKS.keys())
def test_days_are_those_of_the_courses_clock(due, handed_in, days):
    policy = Policy(time_zone="Europe/Berlin", due=datetime.fromisoformat(due).replace(tzinfo=BERLIN), late=Late(10))
    assert counted(at(handed_in), policy).days_late == days


UNKNOWN = {
    "no time": (HandedIn(), Policy(due=DUE, late=Late(10)), True),
    "a time": (at("2026-11-20T12:00:00Z"), Policy(due=DUE, late=Late(10)), False),
    "the platform says that it is in time": (HandedIn(late=False), Policy(due=DUE, late=Late(10)), False),
    "no due time": (HandedIn(), Policy(late=Late(10)), False),
    "no rule": (HandedIn(), Policy(due=DUE), False),
}


@pytest.mark.parametrize(("handed_in", "policy", "unknown"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_time_is_known_to_be_unknown_where_it_matters(handed_in, policy, unknown):
    assert counted(handed_in, policy).unknown == unknown


def test_an_exercise_may_have_a_time_of_its_own():
    policy = Policy(due=DUE, due_of={"forward": datetime(2026, 12, 1, tzinfo=UTC)}, late=Late(10))
    assert counted(at("2026-11-30T12:00:00Z"), policy).penalty == 0
    assert counted(at("2026-11-30T12:00:00Z"), policy, exercise="ddim").penalty > 0


MORE_TIME = {
    "of the roster": {"people": [Person("Ada", due=datetime(2026, 11, 22, 12, tzinfo=UTC))]},
    "for all exercises": {"extensions": {("Ada", ""): datetime(2026, 11, 22, 12, tzinfo=UTC)}},
    "for this exercise": {"extensions": {("Ada", "forward"): datetime(2026, 11, 22, 12, tzinfo=UTC), ("Ada", ""): DUE}},
}


@pytest.mark.parametrize("more", MORE_TIME.values(), ids=MORE_TIME.keys())
def test_an_extension_takes_the_place_of_the_courses_time(more):
    assert counted(at("2026-11-22T12:00:00Z"), **more).days_late == 0
    assert counted(at("2026-11-22T12:00:01Z"), **more).days_late == 1
    assert counted(HandedIn(late=True), **more).days_late == 0, "the platform knows nothing of the extension"


def override(check="by_hand", points=4.0, student="Ada", **changes):
    one = Override(student, "12_diffusion", "forward", check, points, "the idea was right", "2026-01-01T00:00:00+00:00")
    return msgspec.structs.replace(one, **changes)


def test_what_was_decided_takes_the_place_of_the_graders_points_before_lateness():
    grade = counted(at("2026-11-20T13:00:00Z"), decided=[override()])
    assert (grade.result.score, grade.score, grade.penalty, grade.final) == (8.0, 10.0, 1.0, 9.0)


def test_what_was_decided_counts_where_nothing_was_handed_in_or_judged():
    missing = counted(decided=[override()], checks=(), status="missing", max_score=10)
    assert (missing.score, missing.judged) == (4.0, True)
    assert counted(status="not_judged", score=0).judged is False
    assert counted(status="not_judged", score=0, decided=[override()]).judged is True


def written(tmp_path, attempts, policy, overrides=(), people=()):
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("run", {})
        book.enrol(people)
        book.keep("run", [Kept(one, {}, handed_in) for one, handed_in in attempts])
        for one in overrides:
            book.override(one)
        rules = read_rules(tmp_path, book, policy)
        return list(grades(book, "run", rules)), list(student_grades(book, "run", rules))


def test_the_best_attempt_is_the_one_that_counts_most_after_lateness(tmp_path):
    few = (msgspec.structs.replace(BY_HAND, points=3), JUMP)
    attempts = [(result(), at("2026-11-19T12:00:00Z")), (result(checks=few), HandedIn(2, datetime(2026, 11, 25, tzinfo=UTC)))]
    for counts, final in (("last", 4.5), ("best", 8.0)):
        [grade], _ = written(tmp_path / counts, attempts, Policy(due=DUE, late=Late(10), counts=counts)) if (tmp_path / counts).mkdir() is None else ()
        assert grade.final == final


def test_of_equal_attempts_the_earlier_counts_and_a_judged_one_before_one_that_is_not(tmp_path):
    attempts = [(result(), HandedIn(1)), (result(), HandedIn(2)), (result(status="not_judged", score=0), HandedIn(3))]
    [grade], _ = written(tmp_path, attempts, Policy(counts="best"))
    assert grade.handed_in.attempt == 1


def test_of_two_decisions_the_later_holds_and_the_earlier_stays_written(tmp_path):
    [grade], _ = written(tmp_path, [(result(), HandedIn())], Policy(), [override(points=3), override(points=4)])
    assert grade.score == 10.0
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        assert [one.points for one in book.overrides("Ada")] == [3.0, 4.0]


TWO = [(result(), HandedIn()), (result(exercise="practice", checks=(msgspec.structs.replace(JUMP, points=15, max_points=30),)), HandedIn())]
WHOLES = {
    "by points": (Policy(), 57.5, None),  # 8 of 10 and 15 of 30 weigh 10 and 30
    "by weights": (Policy(weights={"forward": 3, "practice": 1}), 72.5, None),
    "one counts nothing": (Policy(weights={"practice": 0}), 80.0, None),
    "passed": (Policy(pass_mark=57.5), 57.5, True),
    "not passed": (Policy(pass_mark=60), 57.5, False),
    "nothing counts": (Policy(weights={"forward": 0, "practice": 0}, pass_mark=50), None, None),
}


@pytest.mark.parametrize(("policy", "percent", "passed"), WHOLES.values(), ids=WHOLES.keys())
def test_the_whole_is_put_together_by_weights(tmp_path, policy, percent, passed):
    _, [whole] = written(tmp_path, TWO, policy)
    assert (whole.percent, whole.passed) == (percent, passed)


def test_what_was_not_judged_leaves_the_whole_open(tmp_path):
    _, [whole] = written(tmp_path, [TWO[0], (result(exercise="ddim", status="not_judged", score=0), HandedIn())], Policy(pass_mark=50))
    assert (whole.percent, whole.passed) == (None, None)


# ---- extensions.csv


PEOPLE = {"Ada": Person("Ada", "501", "ada@example.org", "al")}


@pytest.mark.parametrize("who", ["Ada", "501", "ADA@example.org", "al"])
def test_an_extension_is_given_to_whoever_the_roster_knows(tmp_path, who):
    (tmp_path / "e.csv").write_text(f"student,due,exercise\n{who},2026-11-27 23:59+01:00,\n")
    assert read_extensions(tmp_path / "e.csv", PEOPLE, None, []) == {("Ada", ""): datetime(2026, 11, 27, 22, 59, tzinfo=UTC)}


def test_extensions_are_read_as_a_roster_is(tmp_path):
    """With a title, in German, with a day instead of a time, and what cannot be read left out with a note."""
    (tmp_path / "e.csv").write_bytes("Verlängerungen;;\n\nE-Mail;Fällig\nada@example.org;27.11.2026\n501;bald\nBo;\n".encode("utf-16"))
    notes = []
    assert read_extensions(tmp_path / "e.csv", PEOPLE, BERLIN, notes) == {("Ada", ""): datetime(2026, 11, 27, 23, 59, tzinfo=BERLIN)}
    assert notes == [
        "e.csv:5: the time `bald` is left out, because it is not a time",
        "e.csv:6: no due time for `Bo`, so the line is left out",
    ]


BROKEN = {
    "no columns": ("who,when\n", ":1: no columns `student` and `due`\n  fix: begin it with a line of column names: student,due,exercise"),
    "not text": (b"student,due\n\x81\x8d", ": not text\n  fix: save it as plain CSV in UTF-8"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_extension_is_told_in_full(tmp_path, text, message):
    (tmp_path / "e.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        read_extensions(tmp_path / "e.csv", PEOPLE, None, [])
    assert str(caught.value) == f"{tmp_path / 'e.csv'}{message}"


def test_an_extension_that_meets_nobody_is_told_with_who_may_be_meant(root):
    asked = [("Ada", ""), ("Ada", "forward"), ("Adda", ""), ("Zoë", ""), ("Ada", "forwrd")]
    rules = GradingRules(Policy(), {"Ada": Person("Ada")}, {}, dict.fromkeys(asked, DUE))
    assert list(rules.unmatched({"Bo"}, read_course(root).lessons)) == [
        "extensions.csv: no student `Adda`; did you mean Ada?",
        "extensions.csv: no student `Zoë`",
        "extensions.csv: no exercise `forwrd`, for Ada; did you mean forward?",
    ]


# ---- who is meant, and what is decided


@pytest.mark.parametrize("word", ["Ada", "ada", "501", "Ada@Example.org", "AL"])
def test_a_student_is_found_by_what_the_roster_knows(word):
    assert find_student(word, ["Ada", "Bo"], PEOPLE) == "Ada"


@pytest.mark.parametrize(
    ("word", "message"),
    [("Adda", "no student `Adda` was graded here\n  fix: did you mean Ada?"), ("zzz", "no student `zzz` was graded here\n  fix: use the name in grades.csv")],
)
def test_a_student_that_is_not_there_is_told_in_full(word, message):
    with pytest.raises(UsageError) as caught:
        find_student(word, ["Ada", "Bo"], PEOPLE)
    assert str(caught.value) == message
