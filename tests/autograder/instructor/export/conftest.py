"""A small class as exports are given it: right, late, decided, missing, not judged, and named like an attack."""

from datetime import UTC, datetime

import pytest

from autograder.course.model import CheckResult, HandedIn, Override, Result
from autograder.course.policy import Late, Policy
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules
from autograder.instructor.roster import Person
from autograder.instructor.sheet import sheet_of

DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATE = HandedIn(2, datetime(2026, 11, 21, 12, tzinfo=UTC))
RIGHT = CheckResult("by_hand", "By hand", 2, 2, "passed", seconds=0.25)
WRONG = CheckResult("by_hand", "By hand", 0, 2, "failed", "wrong", "`f(1)` gave <b>1</b> where 2 was expected.", "misconception", "sec", "card")
JUMP = CheckResult("the_jump", "The jump", 3, 3, "passed")
LOST = CheckResult("by_hand", "By hand", 0, 2, "not_judged", "fault", "Not judged: a fault of the grader, not of this file.")


def result(student, checks, status="graded", exercise="forward", max_score=5.0):
    score = sum(check.points for check in checks)
    return Result(student, "12_diffusion", exercise, status, score, max_score, tuple(checks), "", "0", "round-1", "2026-01-01T00:00:00+00:00", "0.1.0")


RESULTS = [
    (result("Ada Lovelace", [RIGHT, JUMP]), HandedIn()),
    (result("Bo", [WRONG, JUMP]), LATE),
    (result("=cmd|'x'!A1", [WRONG, JUMP]), HandedIn()),
    (result("Cy", [], "missing"), HandedIn()),
    (result("Di", [LOST], "not_judged"), HandedIn()),
    (result("Ada Lovelace", [RIGHT], exercise="practice", max_score=2.0), HandedIn()),
]
PEOPLE = [
    Person("Ada Lovelace", "501", "ada@example.org", "al4", "A"),
    Person("Bo", "502", "bo+x@example.org"),
    Person("Cy", email="=cmd@example.org"),
]
DECIDED = Override("Bo", "12_diffusion", "forward", "by_hand", 1.0, "half <i>right</i>", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def make(tmp_path):
    """Give a function that makes the sheet; the gradebook stays open until the test ends."""
    opened = []

    def made(policy=Policy(due=DUE, late=Late(10), pass_mark=50), decided=(DECIDED,), results=RESULTS, **titles):  # noqa: B008  # frozen
        (tmp_path / "out").mkdir()
        opened.append(Gradebook(tmp_path / "out" / "gradebook.sqlite"))
        opened[0].begin("run", {})
        opened[0].enrol(PEOPLE)
        opened[0].keep("run", [Kept(one, {}, handed_in) for one, handed_in in results])
        opened[0].override(*decided)
        rules = read_rules(tmp_path / "out", opened[0], policy)
        return sheet_of(opened[0], "run", rules, titles, {"12_diffusion": {"sec": "One step by hand"}}, {"12_diffusion": {"explain-1": 2.0, "explain-2": 2.0}})

    yield made
    for one in opened:
        one.__exit__(None, None, None)
