"""A CSV for Moodle's grade import: for each exercise a column of grades and one of feedback, to be mapped when it is imported.

Students are found by e-mail ("Map from: Email address"), which stands as the roster gave it. The number is the roster's, or the
participant's that Moodle names files by: that one is not what Moodle calls an ID number. Moodle shows feedback as HTML, so it is
escaped here, and nothing that a student wrote is markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from autograder.explain import clean
from autograder.export.sheet import Sheet, unjudged
from autograder.export.table import number, text, write_rows
from autograder.grades.counting import Grade
from autograder.model import Policy

WHAT = "a CSV for Moodle's grade import"
_EMAIL = re.compile(r"[A-Za-z0-9_][^\s@]*@[^\s@]+")  # begins so that no spreadsheet takes it for a formula


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write the CSV; say who has no e-mail."""
    notes: list[str] = []
    write_rows(path, _rows(sheet, notes))
    return notes


def _rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    titles = [title for column in sheet.columns for title in (column.title, f"{column.title} (feedback)")]
    yield ["Full name", "Number", "Email address", *(text(title) for title in titles)]
    nameless = 0
    for standing in sheet.rows():
        person, notes[:] = standing.person, [*notes, *unjudged(standing)]
        nameless += not person.email
        row = [text(person.student), text(person.id), person.email if _EMAIL.fullmatch(person.email) else text(person.email)]
        for column in sheet.columns:
            grade = standing.grades.get(column.exercise)
            row += [number(grade.final), feedback(grade, sheet.policy)] if grade and grade.judged else ["", ""]
        yield row
    if nameless:
        notes.append(f"{nameless} without an e-mail: Moodle finds students by it; grade with a --roster that has them")


def feedback(grade: Grade, policy: Policy) -> str:
    """Write what a student may read of one exercise as a line of HTML."""
    lines = [f"{number(grade.score)} of {number(grade.result.max_score)} points."]
    if grade.result.status == "missing":
        lines.append("Nothing was handed in.")
    if grade.penalty:
        lines.append(f"{number(grade.penalty)} points are taken for lateness: {number(grade.final)} count.")
    said: dict[str, str] = {}
    for check in grade.result.checks if policy.reveal != "nothing" else ():
        decided = grade.decided.get(check.id)
        if check.outcome == "passed" and not decided:
            continue
        earned = decided.points if decided else check.points
        words = check.message if policy.reveal == "all" and check.message != said.get(check.outcome) else ""
        said[check.outcome] = check.message
        lines.append(f"{clean(check.title, 200)} ({number(earned)} of {number(check.max_points)}). {clean(words, 1_000)}".rstrip())
        if decided:
            lines.append(f"Your instructor gave {number(decided.points)}: {clean(decided.reason, 500)}")
    graded = {check.id for check in grade.result.checks}
    lines += [
        f"{number(one.points)} for {one.check}: {clean(one.reason, 500)}" for one in grade.decided.values() if one.check not in graded
    ]
    return "<br>".join(html.escape(line, quote=False) for line in lines)
