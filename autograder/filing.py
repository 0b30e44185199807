"""The files of a run in OUT: results, grades, feedback and the report, made from the gradebook, and again when something was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.export.table import replaced, write_csv, write_jsonl, write_texts
from autograder.gradebook import Gradebook
from autograder.grades.counting import Rules, standings
from autograder.model import Course, Lesson
from autograder.report.alike import Group, groups
from autograder.report.feedback import feedback, feedback_name
from autograder.report.measures import Measures, measure
from autograder.report.page import report_page, slip_sentences, student_page


class Reported(Struct, frozen=True):
    """What stands in a report: the measures, groups that are wrong alike, and the sections' titles by id."""

    made: Measures
    alike: list[Group]
    sections: dict[str, str]


def sections_of(lessons: Iterable[Lesson]) -> dict[str, str]:
    """Give the titles of all sections by id."""
    return {section.id: section.title for lesson in lessons for section in lesson.sections}


def write_files(out: Path, course: Course, gradebook: Gradebook, run: str, rules: Rules) -> None:
    """Write all files of a run. Results and grades.csv hold what the grader gave; feedback and report say what was decided beside it."""
    write_jsonl(out / "results.jsonl", gradebook.results(run, rules.choose))
    write_csv(out / "grades.csv", gradebook.results(run, rules.choose))
    write_feedback(out, course, gradebook, run, rules)
    write_report(out / "report.html", course, gradebook, run, rules)


def write_feedback(out: Path, course: Course, gradebook: Gradebook, run: str, rules: Rules, only: str | None = None) -> int:
    """Write each student's feedback, or one's, as text and as a page, and say for how many."""
    folder, sections = out / "feedback", sections_of(course.lessons)
    folder.mkdir(exist_ok=True)
    order = {exercise.id: place for place, exercise in enumerate(one for lesson in course.lessons for one in lesson.exercises)}

    def texts() -> Iterator[tuple[Path, str]]:
        for one in standings(gradebook, run, rules):
            student = one.person.student
            if only in (None, student):
                path = folder / feedback_name(student)
                standing = replace(one, grades=dict(sorted(one.grades.items(), key=lambda own: order.get(own[0], len(order)))))
                yield path, feedback(student, standing.grades.values(), sections, rules.policy)
                yield path.with_suffix(".html"), student_page(standing, sections, rules.policy)

    return write_texts(texts()) // 2


def write_report(path: Path, course: Course, gradebook: Gradebook, run: str, rules: Rules, *, hidden: bool = False) -> Reported:
    """Write the report on a run; `hidden` leaves names out. Return what stands in it."""
    made = measure(standings(gradebook, run, rules), [exercise.id for lesson in course.lessons for exercise in lesson.exercises])
    graded = {one.lesson for one in made.exercises.values()}
    lessons = [lesson for lesson in course.lessons if lesson.id in graded]
    alike = groups(gradebook.unexplained(run, rules.choose))
    sections = sections_of(lessons)
    sentences = slip_sentences(course.root / "solutions" / lesson.id / "misconceptions" for lesson in lessons)
    title = " · ".join(lesson.title for lesson in lessons)
    with replaced(path) as beside:
        page = report_page(title, run, made, alike, sections, sentences, rules.policy, hidden=hidden)
        beside.write_text(page, encoding="utf-8")
    return Reported(made, alike, sections)
