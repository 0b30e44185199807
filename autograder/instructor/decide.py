"""Decide something in place of the grader, for the command and the page alike: find what is meant, add it, and write the feedback anew.

The report is left to both: the page does not wait for it.
"""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Course, OverrideKind
from autograder.course.text import clean
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import GradingRules, grades_of, name_of, read_rules, student_grades
from autograder.instructor.identity import find_student
from autograder.instructor.outputs import write_feedback
from autograder.instructor.overrides import find_target, make_override, with_overridden, withdrawals
from autograder.instructor.roster import Person, file_slug


class Decided(Struct, frozen=True):
    """What was decided, and what an exercise counted before and counts now, each in a sentence; `feedback` is the file's name."""

    student: str
    said: str
    changed: str
    feedback: str

    def __str__(self) -> str:
        return f"{clean(self.student, 60)}: {self.said}\n{self.changed}Rewritten: {self.feedback}, report.html"


def decide(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, student: str, target: str,
           kind: OverrideKind | None, points: float, reason: str) -> Decided:  # fmt: skip
    """Override something of a student, or withdraw it if there is no `kind`, and write the student's feedback anew.

    Raise `UsageError` if no one student, or nothing that was graded for them, is meant, or if it cannot be decided.
    """
    name = find_student(student, gradebook.students(run), rules.people)
    own, points_of = grades_of(name, gradebook, run, rules)
    decided = {key: made for key, made in rules.overrides.items() if key[0] == name}
    place = find_target(target, with_overridden(points_of, decided) if kind is None else points_of, several=rules.several)
    exercise = name_of(place.lesson, place.exercise, several=rules.several)
    if place.check:
        checks = own[exercise].result.checks
        place = replace(place, title=next((one.title for one in checks if one.id == place.check), ""))
    most = points_of.get((place.lesson, place.exercise), {}).get(place.check, 0.0)
    most = own[exercise].result.max_score if place.exercise and not place.check else most
    if kind is None:
        if not reason.strip():
            raise UsageError("the reason is empty", "say why, for the record")
        made = withdrawals(decided, place, reason)
    else:
        made = [make_override(rules.people.get(name, Person(name)), place, kind, points, most, reason)]
    gradebook.override(*made)
    rules = read_rules(out, gradebook, course.policy)
    write_feedback(out, course, gradebook, run, rules, only=name)
    (now,) = student_grades(gradebook, run, rules, among=(name, name))
    changed = f"{exercise}: {own[exercise].final:g} before, {now.grades[exercise].final:g} now. " if place.exercise else ""
    said = {
        "points": f"{place.words} now earns {points:g} of {most:g}.",
        "bonus": f"{place.words} gets a bonus of {points:g}.",
        "deduction": f"{place.words} loses {points:g}.",
        "excused": f"{place.words} is excused.",
        "on_hold": "feedback and grade are on hold until you withdraw that.",
    }.get(kind or "", f"what was decided for {place.words} is withdrawn.")
    return Decided(name, said, changed, f"{file_slug(name)}.md")
