"""Results as Gradescope reads them: one `results.json` for what one student handed in.

The format is that of Gradescope's autograder specifications: a test for each check, its text shown as it is (`text`, never
Markdown or HTML, since parts of it are a stranger's). Checks that draw secret numbers say only what feedback says.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import exercise_ids
from autograder.course.model import CheckResult, Limits, Policy, Result
from autograder.course.store import replaced
from autograder.course.text import clean, number
from autograder.grading.rounds import open_round
from autograder.instructor.grades import Grade, Sheet, StudentGrades, unjudged
from autograder.instructor.intake import open_folder
from autograder.instructor.roster import file_slug
from autograder.instructor.uploads import read_submissions
from autograder.instructor.worker import Grader, Settings
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.servers import free_user, missing_walls

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]


class Test(msgspec.Struct, frozen=True):
    """One line of the student's page. `tags` hold the exercise, and the misconception where one is named."""

    name: str
    number: str
    score: float
    max_score: float
    status: Literal["passed", "failed"]
    output: str
    tags: tuple[str, ...]
    visibility: Visibility
    output_format: Literal["text"] = "text"


class GradescopeResults(msgspec.Struct, frozen=True):
    """The whole of `results.json`. What the grader itself prints is for the instructor alone."""

    score: float
    execution_time: float
    output: str
    tests: tuple[Test, ...]
    extra_data: dict[str, str]
    output_format: Literal["text"] = "text"
    visibility: Visibility = "visible"
    stdout_visibility: Visibility = "hidden"


def gradescope_results(
    results: Iterable[Result], sections: Mapping[str, str], policy: Policy, *, seconds: float, early: bool = False, **extra: str
) -> GradescopeResults:
    """Put the results of one student into Gradescope's words. `sections` gives the titles of the lesson's sections by id.

    What the policy reveals later (`early`) is shown once the instructor publishes: the sheet is not written a second time.
    Raise `SandboxFault` where one of them could not be judged: no result is shown then, and never a zero.
    """
    known = list(results)
    for result in known:
        if result.status == "not_judged":
            raise SandboxFault(f"`{result.exercise}` was not judged, by a fault of the grader")
    visibility: Visibility = "hidden" if policy.reveal == "nothing" else "after_published" if early else "visible"
    told = policy.reveal == "all"
    tests = tuple(test for number, result in enumerate(known, 1) for test in _tests(number, result, sections, visibility, told))
    printed = [f"What {one.exercise} printed:\n{_lines(one.stdout)}" for one in known if one.stdout and told and not early]
    score = round(sum(result.score for result in known), 2)
    return GradescopeResults(score, round(seconds, 2), "\n\n".join(printed), tests, extra)


def _tests(number: int, result: Result, sections: Mapping[str, str], visibility: Visibility, told: bool) -> Iterator[Test]:
    if not result.checks:
        words = "Nothing was handed in for this exercise."
        yield Test(result.exercise, str(number), 0, result.max_score, "failed", words, (result.exercise,), visibility)
    for place, check in enumerate(result.checks, 1):
        tags = (result.exercise, check.misconception) if told and check.misconception else (result.exercise,)
        yield Test(
            name=clean(f"{result.exercise}: {check.title}"),
            number=f"{number}.{place}",
            score=check.points,
            max_score=check.max_points,
            status="passed" if check.outcome == "passed" else "failed",
            output=_said(check, sections) if told else "",
            tags=tags,
            visibility=visibility,
        )


def _said(check: CheckResult, sections: Mapping[str, str]) -> str:
    lines = [clean(line, 2_000) for line in check.message.split("\n") if line]
    if check.section:
        lines.append(f"Reread: {sections.get(check.section, check.section)} (course read {check.section})")
    if check.card:
        lines.append(f"Card: {check.card}")
    return "\n".join(lines)


def _lines(text: str) -> str:
    return "\n".join(clean(line, 200) for line in text.splitlines()[:40])


WHAT = "a results.json for each student, as Gradescope shows it"


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write the folders; a student of whom something was not judged gets none."""
    path.mkdir(exist_ok=True)
    notes: list[str] = []
    for standing in sheet.rows():
        missing = unjudged(standing)
        notes += [f"{line}, so there is no file for them" for line in missing]
        if not missing:
            _write_one(sheet, standing, path / file_slug(standing.person.student))
    return notes


def _write_one(sheet: Sheet, standing: StudentGrades, folder: Path) -> None:
    results = [_as_counted(grade) for grade in standing.grades.values()]
    seconds = sum(check.seconds for result in results for check in result.checks)
    made = gradescope_results(results, sheet.sections, sheet.policy, seconds=seconds, student=standing.person.student)
    folder.mkdir(exist_ok=True)
    with replaced(folder / "results.json") as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))


def _as_counted(grade: Grade) -> Result:
    """Give a result with what was decided in it, and with the score that counts."""
    checks = tuple(_decided(check, grade) for check in grade.result.checks)
    if grade.penalty:
        words = f"Late: {number(grade.penalty)} of {number(grade.score)} points are taken."
        checks = (*checks, CheckResult("late", words, -grade.penalty, 0, "failed", "refused"))
    status = "graded" if grade.result.status == "not_judged" else grade.result.status
    return replace(grade.result, checks=checks, score=grade.final, status=status)


def _decided(check: CheckResult, grade: Grade) -> CheckResult:
    one = grade.overrides.get(check.id)
    if one is None:
        return check
    words = f"Your instructor gave {number(one.points)} in place of {number(check.points)}: {one.reason}\n{check.message}"
    return replace(check, points=one.points, message=words)


COURSE = "course"  # the folder of autograder.zip in which the course lies, as `author.release` builds it


def grade_in_container(place: Path) -> GradescopeResults:
    """Grade `place`/submission with `place`/source into `place`/results/results.json. Return what was written.

    Raise `UsageError` where the layout is not Gradescope's, or no wall keeps the solutions from a submission.
    """
    started = time.monotonic()
    source, results = place / "source", place / "results"
    if not (source / COURSE / "course.yaml").is_file() or not (place / "submission").is_dir():
        raise UsageError(f"{place}: not laid out like Gradescope's /autograder", "this command is run by run_autograder, over there")
    results.mkdir(exist_ok=True)
    for private in (source, results):
        private.chmod(0o700)
    chosen = open_round(source)
    walls = standing_walls(Limits())
    grader = Grader(Settings(str(source / COURSE), chosen, walls))
    try:
        lesson = grader.course.lessons[0]
        notes: list[str] = []
        handed_in = read_submissions(open_folder(place / "submission", "submission"), lesson.id, exercise_ids(lesson), notes.append)
        made = [grader.grade(submission).result for submission in handed_in]
    finally:
        grader.close()
    policy = grader.course.policy
    early = policy.reveal_from is not None and datetime.now(UTC) < policy.reveal_from
    titles = {section.id: section.title for section in lesson.sections}
    extra = {"round": chosen.name, "version": grader.version, "walls": ", ".join(walls), "notes": "; ".join(notes)}
    written = gradescope_results(made, titles, policy, seconds=time.monotonic() - started, early=early, **extra)
    with replaced(results / "results.json") as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(written)))
    return written


def standing_walls(limits: Limits) -> tuple[str, ...]:
    """Try the walls. Raise `UsageError` where none of them keeps a submission from reading what judges it."""
    missing = missing_walls(limits)
    other_user = "privileges" not in missing and free_user(0) is not None
    if "landlock" in missing and not other_user:
        problem = f"nothing keeps a submission from reading the solutions: landlock is missing ({missing['landlock']})"
        raise UsageError(problem, "run this as root, so that submissions can be run as another user")
    return tuple(wall for wall in WALLS if wall not in missing)
