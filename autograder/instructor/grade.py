"""One run of `course grade`: find the submissions, grade what is new, write the results.

Every result is on disk before it is counted, so a run that was killed continues where it was; results whose submission, checks and
secret numbers have not changed are reused. `regrade` shares the steps: `make_plan` finds what there is to grade, `run_plan` grades it
into a gradebook. How a submission is judged is in `grading.attempt`, what a result counts in `grades`. Nothing is printed here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import StoreFault, UsageError
from autograder.course.files import refuse_others
from autograder.course.model import Course, Lesson, Submission
from autograder.course.references import choose_lesson, exercise_ids
from autograder.course.student_files import read_handout
from autograder.course.system import lock
from autograder.course.text import clean
from autograder.grading.rounds import CacheKeys, Round, open_round
from autograder.instructor.gradebook import Attempted, Gradebook, Kept
from autograder.instructor.grades import GradingRules, name_of, read_rules, zone_of
from autograder.instructor.identity import Identified, find_student, identify
from autograder.instructor.intake import ClassUploads, open_class
from autograder.instructor.outputs import Reported, write_files
from autograder.instructor.pool import LocalPool, Settings, WorkerPool, grade_all
from autograder.instructor.roster import Person, Roster, read_roster, with_groups
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.servers import readable_paths

GRADEBOOK = "gradebook.sqlite"
MOST_NAMED = 10  # students in one line


class GradeRequest(Struct, frozen=True):
    """What a run is asked to grade, and how."""

    submissions: Path
    out: Path
    lesson: str | None = None
    exercises: tuple[str, ...] = ()
    seed: int | None = None
    new_round: bool = False
    workers: int | None = None  # one for each core
    walls: tuple[str, ...] = WALLS
    kind: str | None = None
    roster: Path | None = None
    fresh: bool = False  # reuse no earlier result
    only: bool = False  # these students alone, in place of the class in OUT
    student: str = ""  # one of them alone
    cluster: str = ""


class GradeReport(Struct, frozen=True):
    """What came of a run: its plan, the run itself, and what its report shows of the results that count by `rules`.

    `before` is the number of students who are in the class from earlier runs alone. `notes` lists what else went wrong where there is
    a result, submissions that were skipped or renamed, and extensions that match nobody.
    """

    plan: Plan
    run: Run
    round: str
    reported: Reported
    rules: GradingRules
    before: int
    notes: tuple[str, ...]


def grade(course: Course, request: GradeRequest, progress: Callable[[int, int], None]) -> GradeReport:
    """Grade submissions into OUT; `progress` is called with how many of how many results are done.

    Ctrl-C ends the run and keeps what is done. Raise `UsageError` if the request cannot be carried out, `StoreFault` if a result cannot
    be written.
    """
    roster = read_class(course, request)
    plan = make_plan(course, request, roster.people)
    out = request.out.resolve()
    places = (out,) if plan.uploads.kind == "nbgrader" else (out, out.parent)  # where the next run would take results for submissions
    if request.submissions.resolve() in places:
        raise UsageError(f"{request.out}: results would be among the submissions", "give --out a folder beside them")
    try:
        request.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{request.out}: {error.strerror}", "choose a writable folder with --out") from None
    with exclusive_lock(request.out):
        current = open_round(request.out, seed=request.seed, new=request.new_round)
        with Gradebook(request.out / GRADEBOOK) as gradebook:
            names = [name_of(plan.lesson.id, one, several=True) for one in plan.exercises]
            known = identified(plan.uploads, gradebook, names, named=request.roster is not None)
            if request.student:
                request = replace(request, student=choose_student(plan.uploads, request.student))
            run = run_plan(course, request, plan, current, gradebook, progress, known)
            rules = read_rules(request.out, gradebook, course.policy)
            reported = write_files(request.out, course, gradebook, run.name, rules)
            students = gradebook.students(run.name)
            unmatched = rules.unmatched(students, course.lessons)
            told = (*reported[0].cut, *unknown_times(reported[0].unknown_times), *kept_from_before(reported[0].kept))
            before = sorted(students - {student.name for student in plan.uploads.students})
            gone = not_in_roster(before) if request.roster and not request.student else ()
            notes = (*run.notes, *roster.notes, *known.notes, *plan.uploads.notes, *unmatched, *told, *gone)
            return GradeReport(plan, run, current.name, reported, rules, len(before), notes)


def unknown_times(count: int) -> Iterator[str]:
    """Say that so many results count as on time only because nothing is known, if there are any."""
    if count:
        what = "1 result has no known time, so it counts" if count == 1 else f"{count} results have no known time, so they count"
        yield f"{what} as on time: give a --roster with `handed in`, or the platform's worksheet"


def kept_from_before(kept: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Say of which students and exercises an earlier attempt counts, because this time nothing was found for them."""
    if kept:
        named = _some([f"{student} ({exercise})" for student, exercise in kept])
        yield f"nothing was handed in this time, so what was graded before counts: {named}; if that was wrong, grade with --only"


def not_in_roster(students: Sequence[str]) -> Iterator[str]:
    """Say who is in the class and not in the roster that was given."""
    if students:
        yield f"in the class from before, and not in this roster: {_some(students)}; `course drop` removes who left"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(clean(name, 80) for name in names[:MOST_NAMED]) + more


def identified(uploads: ClassUploads, gradebook: Gradebook, exercises: Sequence[str] = (), *, named: bool) -> Identified:
    """Find out who the students are that the gradebook knows, and give each their name there. A roster's names hold (`named`)."""
    people = {person.student: person for person in uploads.people}
    known = identify([people.get(one.name, Person(one.name)) for one in uploads.students], gradebook.people(), exercises, named=named)
    dropped = {known.renamed.get(name, name) for name in gradebook.dropped()}
    students = [replace(student, name=known.names[student.name]) for student in uploads.students]
    uploads.students = [student for student in students if student.name not in dropped]
    uploads.missing = tuple(name for one in uploads.missing if (name := known.names.get(one, one)) not in dropped)
    uploads.people = list(known.people)
    back = "dropped from the class, so not graded; `course drop STUDENT --undo` takes them back"
    uploads.notes += [f"{student.name}: {back}" for student in students if student.name in dropped]
    return known


def choose_student(uploads: ClassUploads, word: str) -> str:
    """Leave one student in a class, named by anything that identifies them, and return the name. Raise `UsageError` if it is nobody's."""
    people, names = {person.student: person for person in uploads.people}, [student.name for student in uploads.students]
    name = find_student(word, names, people, "is among the submissions", "use the name of their folder, or of the roster")
    uploads.students = [student for student in uploads.students if student.name == name]
    uploads.missing = tuple(missing for missing in uploads.missing if missing == name)
    return name


def read_class(course: Course, request: GradeRequest) -> Roster:
    """Read the roster, and the groups in `groups.csv` beside the submissions or in OUT."""
    roster = read_roster(request.roster, zone_of(course.policy)) if request.roster else Roster()
    listed = next((path for place in (request.submissions, request.out) if (path := place / "groups.csv").is_file()), None)
    if listed is None:
        return roster
    grouped = with_groups(roster.people, listed)
    return Roster(grouped.people, (*roster.notes, *grouped.notes))


class Plan(Struct, frozen=True):
    """What there is to grade, and how many results it makes; with `every`, each attempt and not only the last."""

    lesson: Lesson
    exercises: list[str]
    uploads: ClassUploads
    every: bool

    @property
    def expected(self) -> int:
        attempts = (max(1, len(student.uploads)) if self.every else 1 for student in self.uploads.students)
        return len(self.exercises) * sum(attempts)


def make_plan(course: Course, request: GradeRequest, people: Sequence[Person]) -> Plan:
    """Find the exercises and the class. Raise `UsageError` if there is nothing to grade, or if submissions could read the answers."""
    lesson, exercises = choose_exercises(course, request)
    uploads = open_class(request.submissions, lesson.id, request.kind, people, zone_of(course.policy))
    readable, _ = readable_paths()
    for name, place in {"course": course.root, "submissions": request.submissions, "results": request.out}.items():
        if above := next((path for path in readable if place.resolve().is_relative_to(Path(path).resolve())), None):
            raise UsageError(f"{name} in {above}: submissions can read this folder", "use a folder outside of Python's packages")
    return Plan(lesson, exercises, uploads, every=course.policy.counts == "best")


def run_plan(course: Course, request: GradeRequest, plan: Plan, current: Round, gradebook: Gradebook,
             progress: Callable[[int, int], None], known: Identified) -> Run:  # fmt: skip
    """Grade a plan into a gradebook, which also records the request, so that it can be graded again.

    The run takes over the class of the last one, unless the request is for its own students `only`.
    """
    settings, expected = Settings(str(course.root), current, request.walls), plan.expected
    run = Run(gradebook, CacheKeys(course, current, request.walls), lambda done: progress(done, expected), fresh=request.fresh)
    roster = request.roster and request.roster.resolve()
    asked = replace(request, submissions=request.submissions.resolve(), roster=roster, fresh=False, lesson=plan.lesson.id)
    earlier = gradebook.last_run()
    known_before = gradebook.students(earlier or "")
    gradebook.begin(run.name, asked, None if request.only else earlier, known.unrecorded, known.renamed)
    handout, policy = read_handout(course.root, plan.lesson, course.lessons), course.policy
    plan.uploads.students.sort(key=lambda student: student.name in known_before)  # so a run that goes on grades at once
    submissions = plan.uploads.submissions(handout, plan.exercises, every=plan.every, prefer=policy.prefer)
    run.grade(submissions, settings, open_pool(request, settings))
    return run


class Run:
    """One run as it goes: how many results are `done`, how many of them `reused` or `run_again` with more preloaded, and the
    `faults` of ours.

    `notes` say what else went wrong where there is a result.
    """

    def __init__(self, gradebook: Gradebook, cache_keys: CacheKeys, progress: Callable[[int], None], *, fresh: bool = False):
        self.name = datetime.now(UTC).isoformat()
        self.done, self.reused, self.run_again, self.interrupted = 0, 0, 0, False
        self.faults, self.notes = list[str](), list[str]()
        self._gradebook, self._cache_keys, self._progress, self._fresh = gradebook, cache_keys, progress, fresh

    def grade(self, submissions: Iterable[Submission], settings: Settings, pool: WorkerPool) -> None:
        """Grade what is new, then close the pool."""
        try:
            with closing(pool):
                for batch in grade_all(self._new(submissions), settings, pool):
                    self._gradebook.keep(self.name, [self._kept(submission, graded) for submission, graded in batch])
                    for _, graded in batch:
                        self._count()
                        self.run_again += bool(graded.notes.lacked)
                        about = f"{graded.result.student}, {graded.result.exercise}: {graded.notes.fault}"
                        if graded.result.status == "not_judged":
                            self.faults.append(f"not judged: {about}")
                        elif graded.notes.fault:
                            self.notes.append(about)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._gradebook.keep(self.name, [])
        if self.interrupted:  # perhaps after a batch was kept and before it was counted
            self.done = sum(not one.found_by for _, one in self._gradebook.added(self.name, (0, 0))[1])

    def _new(self, submissions: Iterable[Submission]) -> Iterator[Submission]:
        """Yield submissions without a result that can be reused."""
        for submission in submissions:
            if self._fresh or self._gradebook.take(self.name, submission, self._cache_keys.key(submission)) is None:
                yield submission
            else:
                self.reused += 1
                self._count()

    def _kept(self, submission: Submission, graded: Attempted) -> Kept:
        key = None if graded.notes.fault else self._cache_keys.key(submission)
        return Kept(graded.result, graded.notes, graded.handed_in, key=key)

    def _count(self) -> None:
        self.done += 1
        self._progress(self.done)


def open_pool(request: GradeRequest, settings: Settings) -> WorkerPool:
    """Open the workers: processes on this machine, or a cluster."""
    if not request.cluster:
        return LocalPool(settings, request.workers or len(os.sched_getaffinity(0)))
    try:
        from autograder.instructor.dask_pool import DaskPool  # here: Dask is an extra, and slow to import
    except ImportError:
        raise UsageError("--cluster needs Dask, which is not installed", "pip install -c constraints.txt -e '.[cluster]'") from None
    return DaskPool(settings, request.cluster)


@contextmanager
def open_graded(out: Path) -> Iterator[tuple[Gradebook, str]]:
    """Open what `course grade` wrote, for this command alone: the gradebook, and its last run. Raise `UsageError` if there is none."""
    nothing = UsageError(f"{out}: no graded results in this folder", "give the folder that `course grade --out` wrote")
    if not (out / GRADEBOOK).is_file():
        raise nothing
    with exclusive_lock(out), Gradebook(out / GRADEBOOK) as gradebook:
        run = gradebook.last_run()
        if run is None:
            raise nothing
        yield gradebook, run


@contextmanager
def exclusive_lock(out: Path) -> Iterator[None]:
    """Lock OUT for one command, because two would grade the same submissions twice; a full disk becomes a `StoreFault`.

    Until it ends, nobody else can read what this process writes. The lock ends with the process, however that ends.
    """
    held, umask = -1, os.umask(0o077)
    try:
        held = lock(out)
        _close_to_others(out)
        yield
    except BlockingIOError:
        raise UsageError(f"{out}: another command is using this folder", "wait until it is done, or choose another folder") from None
    except OSError as error:
        if fault := StoreFault.of(error, out):
            raise fault from None
        raise
    finally:
        os.umask(umask)
        if held >= 0:
            os.close(held)


def _close_to_others(out: Path) -> None:
    """Let nobody else read or write OUT. Raise `UsageError` if somebody else may have written it, or may do so meanwhile."""
    own = [path for path in (out, *(out / name for name in (GRADEBOOK, "private", "feedback"))) if path.exists()]
    for path in own:
        refuse_others(path)
    mode = out.stat().st_mode
    made_here = own[1:2] == [out / GRADEBOOK] or not any(out.iterdir())
    if mode & stat.S_ISVTX or (mode & 0o022 and not made_here):  # shared, as /tmp is
        raise UsageError(f"{out}: others can write to this folder", "choose a new or empty folder with --out")
    for path in own if made_here else own[1:]:
        path.chmod(0o700 if path.is_dir() else 0o600)


def choose_exercises(course: Course, request: GradeRequest) -> tuple[Lesson, list[str]]:
    """Find the lesson and the exercises of a request. Raise `UsageError` with the known ones.

    Exercises that only one lesson has say which lesson it is.
    """
    having = [lesson.id for lesson in course.lessons if request.exercises and {*request.exercises} <= {*exercise_ids(lesson)}]
    lesson = choose_lesson(course, request.lesson or (having[0] if len(having) == 1 else None))
    known = exercise_ids(lesson)
    unknown = [name for name in request.exercises if name not in known]
    if unknown:
        raise UsageError(f"no exercise `{unknown[0]}` in {lesson.id}", f"choose one of: {', '.join(known)}")
    return lesson, [name for name in known if not request.exercises or name in request.exercises]
