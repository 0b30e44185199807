"""The same submissions, the same seed: the same results, byte for byte but for times."""

import json
import shutil

import pytest

from autograder.content import read_course
from autograder.grading import Request, grade

TIMES = ("seconds", "graded_at")
STUDENTS = ("Amara Okafor", "Jean-Pierre Lefèvre", "Ahmed Hassan", "Aiko Tanaka", "Carlos Mendoza", "Alex Thornton")


def graded(root, tmp_path, name, students, workers):
    """Grade these students, handed in in this order; return the lines of results.jsonl without times, and the feedback."""
    submissions, out = tmp_path / name / "class", tmp_path / name / "out"
    for student in students:
        shutil.copytree(root / "examples" / "class" / student, submissions / student)
    request = Request(submissions, out, exercises=("forward", "practice"), seed=5, workers=workers)
    grade(read_course(root), request, lambda done, expected: None)
    lines = [without_times(json.loads(line)) for line in (out / "results.jsonl").read_text().splitlines()]
    return [json.dumps(line) for line in lines], {path.name: path.read_text() for path in (out / "feedback").glob("*.md")}


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(own) for key, own in value.items() if key not in TIMES}
    return [without_times(own) for own in value] if isinstance(value, list) else value


@pytest.mark.usefixtures("walls")
def test_results_do_not_depend_on_workers_or_on_the_order_of_files(root, tmp_path):
    one = graded(root, tmp_path, "one", STUDENTS, workers=1)
    two = graded(root, tmp_path, "two", STUDENTS[::-1], workers=2)
    assert len(one[0]) == 2 * len(STUDENTS)
    assert one == two
