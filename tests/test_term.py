"""A whole term at a tenth of its size: every final grade is the one that is known beforehand."""

from functools import cache
from random import Random

from autograder.instructor.pool import Completed, Grader
from bench.term import planned, term
from tests.in_process import judged_source

STUDENTS, SEED = 15, 2


class Here(Grader):
    """Workers in this process, without guests: the files are ours."""

    def __init__(self, request, settings):
        super().__init__(settings)
        self.judged = cache(lambda lesson, exercise, source: judged_source(self.materials(lesson, exercise), source))
        self.done = []

    def attempt(self, submission):
        return self.judged(submission.lesson, submission.exercise, submission.source.decode().split("\n", 1)[1])

    def wants(self):
        return 0 if self.done else 16

    def submit(self, batch, submissions):
        self.done.append(Completed(batch, self.grade_batch(submissions)[1]))

    def completed(self):
        return [self.done.pop()]


def test_no_final_grade_of_a_term_differs_from_the_truth(tmp_path):
    """Five platforms, two downloads each, renames, a namesake, extensions, appeals, a student who leaves, a regrade."""
    assert list(term(STUDENTS, tmp_path, SEED, Here)) == []


def test_the_term_is_one_in_which_much_happens():
    """The test of the test: its plan has all that it is about."""
    plan = planned(STUDENTS, Random(SEED))
    decided = {key for one in plan for own in one.decided.values() for key in own}
    late = {attempt.days_late for one in plan for own in one.attempts.values() for attempt in own}
    assert {"bonus", "deduction", "points", "excused"} & decided
    assert late == {0, 1, 2, 3}
    assert [any(found) for found in zip(*((one.names[0] != one.names[4], one.leaves == 4, one.joins, one.extended) for one in plan), strict=True)] == [True] * 4
    assert len({one.names[3] for one in plan}) < len(plan)
