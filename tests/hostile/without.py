"""`python -m tests.hostile.without WALL COURSE CLASS OUT`: grade with one wall taken away. For tests alone: the command has no such option."""

import sys
from pathlib import Path

from autograder.course.loading import read_course
from autograder.instructor.grade import GradeRequest, grade
from autograder.sandbox.guest.walls import WALLS


def main(wall: str, course: str, class_folder: str, out: str) -> None:
    """Grade `forward` behind the other walls."""
    others = tuple(other for other in WALLS if other != wall)
    request = GradeRequest(Path(class_folder), Path(out), None, ("forward",), 12, workers=1, walls=others)
    grade(read_course(Path(course)), request, lambda done, expected: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
