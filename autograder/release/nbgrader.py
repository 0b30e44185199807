"""The course as a course folder of nbgrader: each lesson an assignment, its exercises the notebook that `course notebook` builds."""

from __future__ import annotations

import re
from pathlib import Path

from autograder.content import demand_solutions, read_course
from autograder.errors import UsageError
from autograder.export.table import replaced
from autograder.model import Course
from autograder.notebook.cells import notebook
from autograder.release.folder import refuse_taken

CONFIG = "nbgrader_config.py"
TEXT = """\
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.ExecutePreprocessor.timeout = {seconds}  # for one cell
c.ClearSolutions.enabled = False  # there are starters in the cells, and no solution to clear
"""


def build_nbgrader(root: Path, out: Path) -> list[Path]:
    """Write the course folder, or bring one up to date; return the files that were written. What nbgrader made there stays.

    Raise `UsageError` where there are no solutions, or `out` holds anything but an nbgrader course.
    """
    course = read_course(root)
    demand_solutions(root)
    refuse_taken(out, (CONFIG,))
    files = {out / "source" / one.id / f"{one.id}.ipynb": notebook(one) for one in course.lessons}
    if not (out / CONFIG).exists():  # an instructor's own settings stay
        files = {out / CONFIG: config(course)} | files
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as beside:
                beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out") from None
    return list(files)


def config(course: Course) -> str:
    """Write nbgrader's settings: the course's id, and the longest that a cell may run, which is a check's own limit and some more."""
    name = re.sub(r"[^a-z0-9]+", "-", course.title.lower()).strip("-")
    longest = max(limits.call_seconds for limits in (course.policy.limits, *course.policy.limits_of.values()))
    return TEXT.format(course=name, seconds=int(60 + 2 * longest))
