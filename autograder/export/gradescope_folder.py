"""A folder for each student with the `results.json` that Gradescope shows, where a class was graded here and not there."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from autograder.export.gradescope import sheet as results_of
from autograder.export.sheet import Sheet, unjudged
from autograder.export.table import number, replaced
from autograder.grades.counting import Grade, Standing
from autograder.grades.people import file_slug
from autograder.model import CheckResult, Result

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


def _write_one(sheet: Sheet, standing: Standing, folder: Path) -> None:
    results = [_as_counted(grade) for grade in standing.grades.values()]
    seconds = sum(check.seconds for result in results for check in result.checks)
    made = results_of(results, sheet.sections, sheet.policy, seconds=seconds, student=standing.person.student)
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
    one = grade.decided.get(check.id)
    if one is None:
        return check
    words = f"Your instructor gave {number(one.points)} in place of {number(check.points)}: {one.reason}\n{check.message}"
    return replace(check, points=one.points, message=words)
