"""The files of a run in OUT: results.jsonl, grades.csv and feedback, made from the gradebook and made again when something was decided."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from autograder.export.table import write_csv, write_jsonl, write_texts
from autograder.gradebook import Gradebook
from autograder.grades.counting import Grade, Rules, grades
from autograder.report.feedback import feedback, feedback_name


def write_files(out: Path, gradebook: Gradebook, run: str, rules: Rules, sections: Mapping[str, str]) -> None:
    """Write all files of a run. Results and grades.csv hold what the grader gave; feedback says what was decided beside it."""
    write_jsonl(out / "results.jsonl", gradebook.results(run, rules.choose))
    write_csv(out / "grades.csv", gradebook.results(run, rules.choose))
    write_feedback(out, gradebook, run, rules, sections)


def write_feedback(out: Path, gradebook: Gradebook, run: str, rules: Rules, sections: Mapping[str, str], only: str | None = None) -> int:
    """Write each student's feedback, or one's, and say how many were written."""
    folder = out / "feedback"
    folder.mkdir(exist_ok=True)
    students = ((student, own) for student, own in groupby(grades(gradebook, run, rules), key=_student) if only in (None, student))
    return write_texts((folder / feedback_name(student), feedback(student, own, sections, rules.policy)) for student, own in students)


def _student(grade: Grade) -> str:
    return grade.result.student
