"""OUT is the class: what a run adds, what it takes over, and which of several attempts stand."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from autograder.course.model import HandedIn
from autograder.course.policy import Late, Policy
from autograder.instructor.grade import GRADEBOOK, GradeRequest, kept_from_before, not_in_roster
from autograder.instructor.gradebook import Gradebook, Kept, standing
from autograder.instructor.grades import grades, read_rules
from tests.autograder.instructor.grades.test_grades import DUE
from tests.autograder.instructor.test_results import result


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path / GRADEBOOK) as book:
        yield book


def one(student="Ada", score=1.0, file="1", **facts):
    status = facts.pop("status", "graded")
    return Kept(result(student, score=score, sha256=file or None, status=status), handed_in=HandedIn(**facts))


def after(book, *runs, policy=Policy(), **more):  # noqa: B008  # frozen
    """Grade one run after another, each taking over the class; give what counts in the end."""
    earlier = book.last_run()
    for attempts in runs:
        run = f"run {len(book.runs()) + 1}"
        book.begin(run, GradeRequest("class", "out"), earlier, **more)
        book.keep(run, attempts)
        earlier = run
    rules = read_rules(book.path.parent, book, policy)
    return {grade.result.student: grade.final for grade in grades(book, earlier, rules)}


BEST, LAST = Policy(counts="best"), Policy(counts="last")


@pytest.mark.parametrize("policy", [BEST, LAST], ids=["best", "last"])
def test_a_run_over_fewer_students_adds(book, policy):
    assert after(book, [one("Ada"), one("Bo")], [one("Bo", 2.0, "2")], [one("Cy", 0.5)], policy=policy) == {"Ada": 1.0, "Bo": 2.0, "Cy": 0.5}
    assert book.students(book.last_run()) == {"Ada", "Bo", "Cy"}


def test_only_a_run_that_takes_nothing_over_is_its_own_students_alone(book):
    after(book, [one("Ada"), one("Bo")])
    book.begin("alone", {})
    book.keep("alone", [one("Bo")])
    assert book.students("alone") == {"Bo"}


TWO = {  # the second run's attempt -> what counts where the best does, and where the last does, after one of 2 points
    "a worse file": (one(score=0.5, file="2"), 2.0, 0.5),
    "a better file": (one(score=3.0, file="2"), 3.0, 3.0),
    "the same file, graded again": (one(score=0.5), 0.5, 0.5),
    "the same file, with a time that is known now": (one(score=0.5, at=DUE), 0.5, 0.5),
    "the same file, handed in again": (one(score=0.5, attempt=2), 0.5, 0.5),
    "nothing": (one(score=0.0, file="", status="missing"), 2.0, 2.0),
    "something that is not taken": (one(score=0.0, file="", status="unrecognised"), 2.0, 2.0),
    "a damaged file": (one(score=0.0, file="", status="unreadable"), 2.0, 0.0),
    "the same file, not judged": (one(score=0.0, status="not_judged"), 0.0, 0.0),
    "another file, not judged": (one(score=0.0, file="2", status="not_judged"), 2.0, 0.0),
}


@pytest.mark.parametrize(("attempt", "best", "last"), TWO.values(), ids=TWO.keys())
def test_every_attempt_that_the_gradebook_holds_takes_part(tmp_path, attempt, best, last):
    for policy, expected in ((BEST, best), (LAST, last)):
        (tmp_path / policy.counts).mkdir()
        with Gradebook(tmp_path / policy.counts / GRADEBOOK) as book:
            assert after(book, [one(score=2.0)], [attempt], policy=policy) == {"Ada": expected}
            assert after(book, [one("Bo")], policy=policy) == {"Ada": expected, "Bo": 1.0}  # the same once both are from before


def test_a_file_that_was_in_time_first_and_late_again_counts_as_in_time(book):
    policy = Policy(counts="best", due=DUE, late=Late(50))
    late = datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert after(book, [one(score=2.0, at=DUE)], [one(score=2.0, at=late)], policy=policy) == {"Ada": 2.0}
    assert after(book, [one(score=1.0, at=late)], policy=policy) == {"Ada": 1.0}, "a mended check counts for both times"


def test_a_run_that_knows_no_times_keeps_those_that_are_known(book):
    """As when a class is graded again without the roster that had them."""
    policy = Policy(counts="best", due=DUE, late=Late(50))
    late = datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert after(book, [one(at=late), one("Bo", at=DUE), one("Cy", late=True)], [one(), one("Bo"), one("Cy")], policy=policy) == {"Ada": 0.5, "Bo": 1.0, "Cy": 0.5}
    assert after(book, [one("Bo", at=late)], [one("Bo")], policy=policy)["Bo"] == 1.0, "both of its times"
    assert [len(own) for own in book.attempts(book.last_run())] == [1, 3, 1]
    [_, bo, _] = [[each.found_by for each in standing(own)] for own in book.attempts(book.last_run())]
    assert bo == ["", ""], "the run found the file, so it is graded again from there"


def test_a_policy_that_changes_finds_the_attempts_of_all_downloads(book):
    assert after(book, [one(score=2.0)], [one(score=1.0, file="2")], [one(score=0.5, file="3")], policy=LAST) == {"Ada": 0.5}
    rules = read_rules(book.path.parent, book, BEST)
    assert [grade.final for grade in grades(book, book.last_run(), rules)] == [2.0]


def test_what_is_kept_because_nothing_was_handed_in_is_told(book):
    missing = one(score=0.0, file="", status="missing")
    after(book, [one("Ada"), one("Bo"), replace(missing, result=replace(missing.result, student="Cy"))], [missing, one("Bo", file="2")])
    found = {grade.result.student: grade.kept for grade in grades(book, book.last_run(), read_rules(book.path.parent, book, LAST))}
    assert found == {"Ada": True, "Bo": False, "Cy": False}
    told = "nothing was handed in this time, so what was graded before counts: Ada (forward)"
    assert list(kept_from_before([("Ada", "forward")])) == [f"{told}; if that was wrong, grade with --only"]
    assert next(kept_from_before([("Ada", "forward")] * 12)).endswith("and 2 more; if that was wrong, grade with --only")
    assert list(kept_from_before([])) == list(not_in_roster([])) == []
    assert list(not_in_roster(["Ada", "Bo"])) == ["in the class from before, and not in this roster: Ada, Bo; `course drop` removes who left"]


def test_attempts_that_no_longer_stand_are_not_taken_over_again(book):
    """So a class that is graded every day does not grow, and yet no row is lost."""
    after(book, *([one("Ada"), one("Bo")] for _ in range(5)))
    assert [len(own) for own in book.attempts("run 5")] == [2, 2]
    assert len([None for run in book.runs() for own in book.attempts(run) for one in own if not one.found_by]) == 10


def test_a_run_that_ends_at_once_has_lost_nothing(book):
    """It has the class from its beginning, so a run that is killed leaves the class as it was."""
    after(book, [one("Ada"), one("Bo")], [])
    assert book.students("run 2") == {"Ada", "Bo"}
