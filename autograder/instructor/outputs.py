"""What one student may read of their results, as Markdown: public numbers only, and nothing of it taken for markup."""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import CheckResult, Course, Lesson, Override, Policy
from autograder.course.store import replaced, write_texts
from autograder.course.text import clean
from autograder.instructor.export import write_csv, write_jsonl
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import Grade, GradingRules, StudentGrades, revealed, student_grades
from autograder.instructor.measures import FEW_PERCENT, HELPED, Group, Measures, Row, groups, measure
from autograder.instructor.roster import feedback_name

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def feedback(student: str, grades: Iterable[Grade], sections: Mapping[str, str], policy: Policy, now: datetime | None = None) -> str:
    """Write a student's feedback. `sections` gives the titles of the lesson's sections by id; by `now` it is known what is revealed."""
    reveal = revealed(policy, now or datetime.now(UTC))
    lines = [f"# {escaped(student)}", ""]
    for grade in grades:
        result = grade.result
        lines += [f"## {result.exercise}: {points(grade.score)} of {points(result.max_score)} points", ""]
        if result.status != "graded":
            lines += [f"{STATUSES[result.status]}", ""]
        lines += standing_lines(grade)
        if reveal != "nothing":
            said: dict[str, str] = {}
            for check in result.checks:
                told = check.message != said.get(check.outcome) and reveal == "all"
                lines += _check(check, sections, grade.overrides.get(check.id), told=told)
                said[check.outcome] = check.message
            lines += [""]
        elif policy.reveal != "nothing":
            lines += [f"What was checked is shown from {policy.reveal_from:%Y-%m-%d %H:%M %Z} on.", ""]
    return "\n".join(lines).rstrip() + "\n"


def standing_lines(grade: Grade) -> list[str]:
    """Say what lateness costs, and what was decided for a check that was not graded."""
    lines = []
    graded = {check.id for check in grade.result.checks}
    for one in (one for one in grade.overrides.values() if one.check not in graded):
        lines += [f"{points(one.points)} points for `{one.check}`, given by your instructor: {escaped(one.reason)}", ""]
    if grade.penalty:
        days = "a day" if grade.days_late == 1 else f"{grade.days_late} days"
        lines += [f"Handed in {days} late, which takes {points(grade.penalty)} points: {points(grade.final)} count.", ""]
    return lines


STATUSES = {
    "missing": "Nothing was handed in.",
    "unreadable": "What was handed in could not be read.",
    "not_judged": "Not judged, by a fault of the grader: your instructor knows.",
}
MARKS = {"passed": "✓", "failed": "✗", "not_judged": "–"}


def _check(check: CheckResult, sections: Mapping[str, str], decided: Override | None, *, told: bool) -> list[str]:
    """Write one check; without `told` its title alone, as where the one before said the same."""
    earned = decided.points if decided else check.points
    lines = [f"- {MARKS[check.outcome]} **{escaped(check.title)}** ({points(earned)} of {points(check.max_points)})"]
    if decided:
        lines.append(f"  Your instructor gave {points(decided.points)} in place of {points(check.points)}: {escaped(decided.reason)}")
    if check.outcome == "passed" or not told:
        return lines
    lines.append(f"  {_code_kept(check.message)}")
    if check.section:
        lines.append(f"  Reread: {escaped(sections.get(check.section, check.section))} (`course read {check.section}`).")
    if check.card:
        lines.append(f"  Card: `{check.card}`.")
    return lines


def points(value: float) -> str:
    """Write points without needless decimals."""
    return f"{value:g}"


def escaped(text: str) -> str:
    """Write a stranger's text so that Markdown shows it and does nothing with it."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _code_kept(message: str) -> str:
    """Escape a message but keep its `code`: between backticks nothing is markup, and `clean` left no newline."""
    parts = clean(message, 2_000).split("`")
    risky = "``" in message or any("<" in part for part in parts[1::2])  # Markdown pairs runs of backticks, not single ones
    if len(parts) % 2 == 0 or risky:
        return escaped(message)
    return "`".join(part if i % 2 else _MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


PAGES = Path(__file__).parent / "pages"
MISCONCEPTIONS = 8
ALIKE = 12
SLOW_SECONDS = 0.5  # what took less was not slow
REASONS = {"needs": "waited for another", "timed_out": "took too long", "out_of_memory": "took too much memory"}


def report_page(
    title: str,
    run: str,
    made: Measures,
    alike: list[Group],
    sections: Mapping[str, str],
    sentences: Mapping[str, str],
    policy: Policy,
    *,
    hidden: bool = False,
) -> str:
    """Write the report. `sentences` holds each misconception's correction by id; `hidden` leaves out names and what a secret run saw."""
    checks_of: dict[str, list[object]] = {name: [] for name in made.exercises}
    for check in made.checks.values():
        checks_of[check.exercise].append(check)
    return (
        _environment()
        .get_template("report.html")
        .render(
            **_looks(),
            title=title,
            run=run[:16].replace("T", " "),
            made=made,
            rows=_nameless(made.rows) if hidden else made.rows,
            misconceptions=made.by_misconceptions(),
            misconceptions_shown=MISCONCEPTIONS,
            alike=alike[:ALIKE],
            sections=sections,
            sentences=sentences,
            checks_of={name: checks for name, checks in checks_of.items() if checks},
            need=made.in_need(policy.pass_mark),
            mark=FEW_PERCENT if policy.pass_mark is None else policy.pass_mark,
            pass_mark=policy.pass_mark,
            helped=HELPED,
            slow=[one for one in made.slow if one[0] >= SLOW_SECONDS],
            reason_words=REASONS,
            hidden=hidden,
        )
    )


def student_page(standing: StudentGrades, sections: Mapping[str, str], policy: Policy, now: datetime | None = None) -> str:
    """Write one student's feedback as a page, with what the policy reveals by `now`."""
    reveal = revealed(policy, now or datetime.now(UTC))
    later = f"{policy.reveal_from:%Y-%m-%d %H:%M %Z}" if policy.reveal_from and policy.reveal != "nothing" else ""
    looks = {name: value for name, value in _looks().items() if name.startswith("style")}
    return (
        _environment()
        .get_template("student.html")
        .render(
            **looks,
            student=standing.person.student,
            percent=standing.percent,
            passed=standing.passed,
            grades=standing.grades.values(),
            sections=sections,
            reveal=reveal,
            later=later,
            statuses=STATUSES,
            marks=MARKS,
        )
    )


def misconception_sentences(folders: Iterable[Path]) -> dict[str, str]:
    """Read from the files of misconceptions what puts each right, without running them."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.py"))):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list and (words := ast.get_docstring(node)):
                found[node.name] = " ".join(words.split())
    return found


def _nameless(rows: list[Row]) -> list[Row]:
    """Take the names away, and with the order what could tell them."""
    mixed = list(rows)
    secrets.SystemRandom().shuffle(mixed)
    return [replace(row, student=f"student {number}", file="") for number, row in enumerate(mixed, 1)]


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(clean=clean, words=lambda text: text.replace("_", " "), code=_code)
    made.globals["points"] = points
    return made


@cache
def _looks() -> dict[str, Markup | str]:
    """Style and script, ours and whole, with the hashes by which the page lets them run."""
    style, script = ((PAGES / name).read_text(encoding="utf-8") for name in ("style.css", "table.js"))
    return {"style": Markup(style), "style_hash": _hash(style), "script": Markup(script), "script_hash": _hash(script)}


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _code(text: str) -> Markup:
    """Show what stands between backticks as code; all of it is escaped."""
    parts = re.split(r"`([^`]*)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))


class Reported(Struct, frozen=True):
    """What stands in a report: the measures, groups that are wrong alike, and the sections' titles by id."""

    made: Measures
    alike: list[Group]
    sections: dict[str, str]


def sections_of(lessons: Iterable[Lesson]) -> dict[str, str]:
    """Give the titles of all sections by id."""
    return {section.id: section.title for lesson in lessons for section in lesson.sections}


def write_files(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules) -> None:
    """Write all files of a run. Results and grades.csv hold what the grader gave; feedback and report say what was decided beside it."""
    write_jsonl(out / "results.jsonl", gradebook.results(run, rules.choose))
    write_csv(out / "grades.csv", gradebook.results(run, rules.choose))
    write_feedback(out, course, gradebook, run, rules)
    write_report(out / "report.html", course, gradebook, run, rules)


def write_feedback(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, only: str | None = None) -> int:
    """Write each student's feedback, or one's, as text and as a page, and say for how many."""
    folder, sections = out / "feedback", sections_of(course.lessons)
    folder.mkdir(exist_ok=True)
    order = {exercise.id: place for place, exercise in enumerate(one for lesson in course.lessons for one in lesson.exercises)}

    def texts() -> Iterator[tuple[Path, str]]:
        for one in student_grades(gradebook, run, rules):
            student = one.person.student
            if only in (None, student):
                path = folder / feedback_name(student)
                standing = replace(one, grades=dict(sorted(one.grades.items(), key=lambda own: order.get(own[0], len(order)))))
                yield path, feedback(student, standing.grades.values(), sections, rules.policy)
                yield path.with_suffix(".html"), student_page(standing, sections, rules.policy)

    return write_texts(texts()) // 2


def write_report(path: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, *, hidden: bool = False) -> Reported:
    """Write the report on a run; `hidden` leaves names out. Return what stands in it."""
    made = measure(student_grades(gradebook, run, rules), [exercise.id for lesson in course.lessons for exercise in lesson.exercises])
    graded = {one.lesson for one in made.exercises.values()}
    lessons = [lesson for lesson in course.lessons if lesson.id in graded]
    alike = groups(gradebook.unexplained(run, rules.choose))
    sections = sections_of(lessons)
    sentences = misconception_sentences(course.root / "solutions" / lesson.id / "misconceptions" for lesson in lessons)
    title = " · ".join(lesson.title for lesson in lessons)
    with replaced(path) as beside:
        page = report_page(title, run, made, alike, sections, sentences, rules.policy, hidden=hidden)
        beside.write_text(page, encoding="utf-8")
    return Reported(made, alike, sections)
