"""A whole term whose every grade is known beforehand, graded as an instructor would: how many final grades differ?

    python -m bench.term                   150 students, in guests behind walls, about two minutes
    python -m bench.term --students 15     a tenth; the tests run it in one process

Five exercises are handed in on five platforms (Canvas, Brightspace, Gradescope, nbgrader, Moodle), each in two downloads into one OUT: the
second has only who handed in again or late, and sometimes no roster. Meanwhile students are in two sections, change their names, join
with a name that somebody has, and leave; there are extensions, and appeals that end in points, bonuses, deductions and excuses. In the
end a check is lowered and one goes, and everything is graded again. The truth is computed from the plan alone, by its own few lines.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import click

from autograder.course.loading import read_course
from autograder.instructor import grade as grading
from autograder.instructor.export import export
from autograder.instructor.grade import GradeRequest, open_graded
from autograder.instructor.grades import grades_of, read_rules, student_grades
from autograder.instructor.identity import find_student
from autograder.instructor.outputs import write_feedback
from autograder.instructor.overrides import drop, find_target, make_override
from autograder.instructor.pool import Settings, WorkerPool
from autograder.instructor.regrade import regrade
from autograder.instructor.roster import file_slug
from autograder.instructor.sheet import sheet_of
from autograder.sandbox.guest.walls import WALLS

TINY = Path(__file__).resolve().parents[1] / "tests" / "broken_courses" / "tiny"
LESSON, ZONE = "13_adding", ZoneInfo("Europe/Berlin")
PLATFORMS = {"canvas": "sums", "brightspace": "thirds", "gradescope": "parts", "nbgrader": "rests", "moodle": "halves"}
DUE = {name: datetime(2026, 10, 2 + 7 * week, 23, 59, tzinfo=ZONE) for week, name in enumerate(PLATFORMS.values())}  # the clocks change
POINTS = {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 5: 5.0}  # of each check
MENDED = {"sums": POINTS | {4: 2.0}, "parts": {number: points for number, points in POINTS.items() if number != 5}}
PERCENT, MOST = 10, 50  # of lateness, for a day
FIRST = "Ada Bo Cy Dee Eli Fay Gus Hana Ivo Jane Kim Lou Mia Noa Oz Pia Quinn Ravi Sol Tess".split()
LAST = "Abel Birch Cruz Dahl Evans Frey Gold Haas Ito Jung Kern Lang Mohr Nash Owen".split()


@dataclass
class Attempt:
    """What one student hands in at one time: which checks it passes, and how many days late it is."""

    right: frozenset[int]
    days_late: int
    download: int


@dataclass
class Student:
    """One student of the plan. `names` are those in the roster, week by week."""

    number: int
    names: list[str]
    section: str
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    extended: set[str] = field(default_factory=set)
    decided: dict[str, dict[str, float]] = field(default_factory=dict)  # by exercise: check number, or kind -> points
    joins: int = 0  # week
    leaves: int = 99

    @property
    def email(self) -> str:
        return f"s{self.number}@u.example"

    @property
    def login(self) -> str:
        return f"login{self.number}"


# ---- the plan


def planned(students: int, draw: random.Random) -> list[Student]:
    """Draw a term: who is there, what they hand in and when, and what is decided."""
    names = [f"{first} {last}" for last in LAST for first in FIRST]
    plan = [Student(number, [names[number]] * 5, draw.choice("AB")) for number in range(students)]
    for one in draw.sample(plan, max(2, students // 15)):  # married
        one.names = one.names[:2] + [f"{one.names[0].split()[0]} Zeller{one.number}"] * 3
    for one in draw.sample(plan, max(1, students // 30)):  # a namesake joins
        plan.append(Student(len(plan), one.names[:], "A", joins=2))
    for one in draw.sample(plan[:students], max(1, students // 30)):
        one.leaves = 4
    for one in draw.sample(plan, max(1, students // 15)):
        one.section = "A, B"
    for one in plan:
        for week, (platform, name) in enumerate(PLATFORMS.items()):
            if one.joins <= week < one.leaves:
                _plan_exercise(one, platform, name, draw)
    return plan


def _plan_exercise(one: Student, platform: str, name: str, draw: random.Random) -> None:
    """Draw what one student hands in for an exercise: nothing, something in time, something late, or two of these."""
    kind = draw.choice(["nothing", "once", "once", "again", "again late", "late"])
    if draw.random() < 0.15:
        one.extended.add(name)
    late = draw.choice([1, 2, 3]) if platform != "canvas" else 1  # Canvas says only that it is late
    late = 0 if platform == "canvas" and name in one.extended else late
    days = {"nothing": [], "once": [0], "again": [0, 0], "again late": [0, late], "late": [late]}[kind]
    downloads = [1] if kind in ("once", "nothing") else [2] if kind == "late" else [1, 2]
    one.attempts[name] = [
        Attempt(frozenset(number for number in POINTS if draw.random() < 0.6), late, download)
        for late, download in zip(days, downloads, strict=False)
    ]
    if draw.random() < 0.12:
        what = draw.choice(["check", "points", "bonus", "deduction", "excused"])
        key = str(draw.choice([*POINTS])) if what == "check" else what
        most = {"points": 12.0, "excused": 0.0}.get(what, 1.5) if what != "check" else POINTS[int(key)]
        one.decided[name] = {key: most}


# ---- the truth


def counts(one: Student, name: str) -> float | None:
    """Return what an exercise counts in the end, or None where it is excused."""
    points, decided = MENDED.get(name, POINTS), one.decided.get(name, {})
    most = sum(points.values())
    if "excused" in decided:
        return None
    given = {int(key): min(value, points[int(key)]) for key, value in decided.items() if key.isdigit() and int(key) in points}
    found = [_after_lateness(attempt, points, given) for attempt in one.attempts.get(name, [])]
    if not found:  # nothing was handed in, so no check is known to have changed
        found = [min(most, sum(value for key, value in decided.items() if key.isdigit()))]
    best = min(decided["points"], most) if "points" in decided else max(found)
    return round(max(0.0, best + decided.get("bonus", 0.0) - decided.get("deduction", 0.0)), 2)


def _after_lateness(attempt: Attempt, points: dict[int, float], given: dict[int, float]) -> float:
    earned = sum(given.get(number, points[number] if number in attempt.right else 0.0) for number in points)
    return round(earned - round(earned * min(MOST, PERCENT * attempt.days_late) / 100, 2), 2)


def total(one: Student) -> float | None:
    """Return the total in percent."""
    known = {name: value for name in one.attempts if (value := counts(one, name)) is not None}
    most = sum(sum(MENDED.get(name, POINTS).values()) for name in known)
    return round(100 * sum(known.values()) / most, 2) if most else None


# ---- what lies on disk


def course_in(folder: Path) -> Path:
    """Lay out a course of five exercises that are alike."""
    shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    dues = ", ".join(f"{name}: {due:%Y-%m-%d %H:%M}" for name, due in DUE.items())
    policy = f"  time_zone: Europe/Berlin\n  due_of: {{{dues}}}\n  late: {{percent: {PERCENT}, most: {MOST}}}\n  counts: best\n"
    (folder / "course.yaml").write_text((folder / "course.yaml").read_text() + policy)
    for place in (folder / "exercises" / LESSON, folder / "solutions" / LESSON, folder / "solutions" / LESSON / "misconceptions"):
        for name in set(PLATFORMS.values()) - {"sums"}:
            shutil.copy(place / "sums.py", place / f"{name}.py")
    for name in PLATFORMS.values():
        write_checks(folder, name, POINTS)
    return folder


CHECK = """@check(points={1}, of="total")
def c{0}(student, reference):
    \"\"\"Adds {0}.\"\"\"
    close(student.total({0}.5, 2.25), {0}.5 + 2.25)
"""


def write_checks(folder: Path, name: str, points: dict[int, float]) -> None:
    """Write the checks of an exercise: each adds other numbers."""
    text = "\n\n".join(["from autograder.api import check, close\n", *(CHECK.format(*each) for each in points.items())])
    (folder / "exercises" / LESSON / "checks" / f"{name}.py").write_text(f'"""What is asked of {name}.py."""\n\n{text}')


def source(one: Student, name: str, attempt: Attempt) -> str:
    """Write the file that passes just these checks."""
    wrong = f"(0 if int(a) in {set(attempt.right) or {0}} else 7)"
    return f"# {one.number} {name} {attempt.download}\ndef total(a, b=0.0):\n    return a + b + {wrong}\n"


def moment(one: Student, name: str, attempt: Attempt) -> datetime:
    """Return when it was handed in: before what is due for this student, or so many days begun after it."""
    due = DUE[name] + (timedelta(days=7) if name in one.extended else timedelta())
    return due - timedelta(hours=5) if not attempt.days_late else due + timedelta(days=attempt.days_late - 1, hours=9)


def roster(plan: list[Student], week: int, path: Path) -> Path:
    """Write the class list of a week; who is in two sections has two rows."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "id", "student id", "login", "email", "section"])
        for one in plan:
            for section in one.section.split(", ") if one.joins <= week < one.leaves else ():
                rows.writerow([one.names[week], 5000 + one.number, 9000 + one.number, one.login, one.email, section])
    return path


def worksheet(plan: list[Student], week: int, number: int, path: Path) -> Path:
    """Write Moodle's grading worksheet, the one place where its times are; of each student it knows the last."""
    name = PLATFORMS["moodle"]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Identifier", "Full name", "Email address", "Status", "Last modified (submission)"])
        for one in plan:
            if one.joins <= week < one.leaves:
                own = [attempt for attempt in one.attempts[name] if attempt.download <= number]
                at = f"{moment(one, name, own[-1]):%A, %-d %B %Y, %-I:%M %p}" if own else "-"
                status = "Submitted for grading" if own else "No submission"
                rows.writerow([f"Participant {700 + one.number}", one.names[week], one.email, status, at])
    return path


def class_list(plan: list[Student], platform: str, week: int, number: int, folder: Path) -> Path | None:
    """Write what is given as --roster: every other week nothing with the second download, but for Moodle, whose times it has."""
    if platform == "moodle":
        return worksheet(plan, week, number, folder / f"worksheet{number}.csv")
    return roster(plan, week, folder / f"roster{week}.csv") if number == 1 or week % 2 else None


def download(plan: list[Student], platform: str, week: int, number: int, folder: Path) -> Path:
    """Write a platform's download: what was handed in since the one before, as the platform names it."""
    name = PLATFORMS[platform]
    folder.mkdir()
    handed_in = [(one, attempt) for one in plan for attempt in one.attempts.get(name, []) if attempt.download == number]
    listed = []
    for one, attempt in handed_in:
        at, who = moment(one, name, attempt), one.names[week]
        again = len(one.attempts[name]) > 1 and number == 2
        place = {
            "canvas": _canvas_name(one, name, attempt, who, again),
            "moodle": f"{who}_{700 + one.number}_assignsubmission_file_/{name}.py",
            "brightspace": f"{5000 + one.number}-{88000 + number} - {who} - {at:%b %d, %Y} {at:%-I%M %p} - {name}.py",
            "gradescope": f"submission_{one.number}/{name}.py",
            "nbgrader": f"submitted/{one.login}/{LESSON}/{name}.py",
        }[platform]
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source(one, name, attempt))
        if platform == "nbgrader":
            (path.parent / "timestamp.txt").write_text(f"{at.astimezone(ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S.%f} UTC")
        elif platform == "gradescope":
            who = f"  - :name: {who}\n    :sid: '{9000 + one.number}'\n    :email: {one.email}\n"
            listed.append(f"submission_{one.number}:\n  :submitters:\n{who}  :created_at: {at.isoformat()}\n")
    if platform == "gradescope":
        (folder / "submission_metadata.yml").write_text("---\n" + "".join(listed))
    return folder


def _canvas_name(one: Student, name: str, attempt: Attempt, who: str, again: bool) -> str:
    first, last = who.lower().split(" ", 1)
    late = "_LATE" if attempt.days_late else ""
    return f"{last}{first}{late}_{5000 + one.number}_{77000 + one.number}_{name}{'-1' if again else ''}.py"


# ---- the term


def term(students: int, folder: Path, seed: int = 1, pool: Callable[[GradeRequest, Settings], WorkerPool] | None = None) -> Iterator[str]:
    """Plan a term, grade it, and yield each difference between what counts and the truth. `pool` opens the workers."""
    draw = random.Random(seed)
    plan, root, out = planned(students, draw), course_in(folder / "course"), folder / "out"
    walls = WALLS if pool is None else ()
    with patch.object(grading, "open_pool", pool or grading.open_pool):
        for week, (platform, name) in enumerate(PLATFORMS.items()):
            for number in (1, 2):
                places = folder / f"{platform}{number}"
                download(plan, platform, week, number, places)
                listed = class_list(plan, platform, week, number, folder)
                if not any(places.iterdir()):
                    continue
                request = GradeRequest(places, out, exercises=(name,), roster=listed, kind=platform, seed=seed, walls=walls, workers=2)
                grading.grade(read_course(root), request, lambda *_: None)
                if week == 0 and number == 1:
                    _extend(plan, out)
            _decide(plan, week, name, root, out)
        for name, points in MENDED.items():
            write_checks(root, name, points)
        again = regrade(read_course(root), out, None, walls, 2, lambda *_: None, apply=True, fresh=False)
        if again.faults or not again.written:
            yield f"the regrade was not written: {again.faults[:3]}"
    yield from differences(plan, root, out)


def _extend(plan: list[Student], out: Path) -> None:
    """Write extensions once, early: by name, number, login or e-mail, and for some under a name that they will not keep."""
    with (out / "extensions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "due", "exercise"])
        for one in plan:
            who = [one.names[0] if one.joins == 0 else one.email, str(9000 + one.number), one.login, one.email][one.number % 4]
            rows.writerows([who, f"{DUE[name] + timedelta(days=7):%Y-%m-%d %H:%M}", name] for name in sorted(one.extended))


def _decide(plan: list[Student], week: int, name: str, root: Path, out: Path) -> None:
    """Decide the appeals of a week, and drop who left."""
    course = read_course(root)
    with open_graded(out) as (book, run):
        rules = read_rules(out, book, course.policy)
        for one in plan:
            who = find_student(one.email, book.students(run), rules.people) if one.decided.get(name) or one.leaves == week else ""
            for key, points in one.decided.get(name, {}).items():
                own, points_of = grades_of(who, book, run, rules)
                target = find_target(f"{name}.c{key}" if key.isdigit() else name, points_of)
                kind = "points" if key.isdigit() else key
                book.override(make_override(rules.people[who], target, kind, points, own[name].result.max_score, "an appeal"))  # type: ignore[arg-type]
            if one.leaves == week:
                book.override(drop(rules.people[who], "left", undo=False))
        write_feedback(out, course, book, run, read_rules(out, book, course.policy))


def differences(plan: list[Student], root: Path, out: Path) -> Iterator[str]:
    """Compare every final grade, every total, the export and the files with the truth."""
    course, here = read_course(root), {one.email: one for one in plan if one.leaves > 4}
    with open_graded(out) as (book, run):
        rules = read_rules(out, book, course.policy)
        found = {student.person.email: student for student in student_grades(book, run, rules)}
        export(sheet_of(book, run, rules, {}, {}, {}), "csv", out / "all.csv")
    for email in sorted(here.keys() ^ found.keys()):
        yield f"{email}: {'is not there' if email in here else 'should not be there'}"
    with (out / "all.csv").open(newline="") as file:
        exported = {row["email"]: row for row in csv.DictReader(file)}
    for email in sorted(here.keys() & found.keys()):
        one, student = here[email], found[email]
        for name in one.attempts:
            true, grade = counts(one, name), student.grades.get(name)
            final = None if grade is None or grade.excused else grade.final
            cell = exported[email][f"{name} counts"]
            if final != true or cell != ("" if true is None else f"{true:g}"):
                yield f"{student.person.student}, {name}: {final} counts and {cell!r} is exported, where {true} is right"
        if student.percent != total(one):
            yield f"{student.person.student}: {student.percent} % in all, where {total(one)} is right"
    slugs = {file_slug(student.person.student) for student in found.values()}
    files = {path.stem for path in (out / "feedback").iterdir()}
    if files != slugs:
        yield f"feedback: {sorted(files - slugs)} are stale, and {sorted(slugs - files)} are not there"


@click.command(help=__doc__)
@click.option("--students", type=click.IntRange(10, 300), default=150, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(students: int, seed: int) -> None:
    """Print each difference, and how many there are."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = list(term(students, Path(folder), seed))
    for line in found:
        print(line)
    print(f"{students} students, seed {seed}: {len(found)} differ; {time.monotonic() - started:.0f} s, load {os.getloadavg()[0]:.1f}")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
