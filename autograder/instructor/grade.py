"""One run: what was graded before is taken over, the rest is graded, and each result is on disk before it is counted.

Also what holds a run together: OUT is one command's at a time, and a disk that takes no more is told in one line.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import StoreFault, UsageError
from autograder.course.loading import choose_lesson, exercise_ids
from autograder.course.model import Course, Lesson, Result, Submission
from autograder.grading.rounds import CacheKeys, open_round
from autograder.instructor.gradebook import Choose, Gradebook, Kept, last
from autograder.instructor.grades import Rules, read_rules, unmet
from autograder.instructor.intake import open_class
from autograder.instructor.measures import Summary
from autograder.instructor.outputs import write_files
from autograder.instructor.pool import LocalPool, WorkerPool, grade_all
from autograder.instructor.worker import Graded, Settings
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.servers import readable_paths


class Run:
    """One run as it goes: what it has graded, what it took over, and what it could not judge."""

    def __init__(self, gradebook: Gradebook, cache_keys: CacheKeys, progress: Callable[[int], None], *, afresh: bool = False):
        self.name = datetime.now(UTC).isoformat()
        self.summary, self.taken, self.faults = Summary(), 0, list[str]()
        self._gradebook, self._cache_keys, self._progress, self._afresh = gradebook, cache_keys, progress, afresh

    def grade(self, submissions: Iterable[Submission], settings: Settings, pool: WorkerPool) -> bool:
        """Grade what is new and let the worker pool go; say whether that was interrupted."""
        try:
            with closing(pool):
                for done in grade_all(self._fresh(submissions), settings, pool):
                    self._gradebook.keep(self.name, [self._kept(submission, graded) for submission, graded in done])
                    for _, graded in done:
                        self._count(graded.result)
                        self.faults += [_told(graded)] if graded.result.status == "not_judged" else []
        except KeyboardInterrupt:
            return True
        finally:
            self._gradebook.keep(self.name, [])
        return False

    def _fresh(self, submissions: Iterable[Submission]) -> Iterator[Submission]:
        """Give what was not graded before on the same grounds; what was is taken over."""
        for submission in submissions:
            key = self._cache_keys.key(submission)
            known = None if self._afresh else self._gradebook.take(self.name, submission, key)
            if known is None:
                yield submission
            else:
                self.taken += 1
                self._count(known)

    def _kept(self, submission: Submission, graded: Graded) -> Kept:
        judged = graded.result.status != "not_judged"
        return Kept(graded.result, graded.private, graded.handed_in, self._cache_keys.key(submission) if judged else None)

    def _count(self, result: Result) -> None:
        self.summary.add(result)
        self._progress(self.summary.results)


def _told(graded: Graded) -> str:
    """Tell a fault of ours to the instructor."""
    return f"not judged: {graded.result.student}, {graded.result.exercise}: {graded.private.get('fault', 'a fault of the grader')}"


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold OUT for one command at a time: two would grade the same submissions twice. Ends with the process, however that ends."""
    held = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UsageError(f"{out}: another command is at work there", "wait until it is done, or choose another folder") from None
    finally:
        os.close(held)


@contextmanager
def storing(out: Path) -> Iterator[None]:
    """Tell a disk that takes no more as `StoreFault`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise
        raise StoreFault(Path(error.filename or out), os.strerror(error.errno).lower()) from None


class Request(Struct, frozen=True):
    """What one `course grade` is asked to do."""

    submissions: Path
    out: Path
    lesson: str | None = None
    exercises: tuple[str, ...] = ()
    seed: int | None = None
    new_round: bool = False
    workers: int = 0
    walls: tuple[str, ...] = WALLS
    kind: str | None = None
    roster: Path | None = None
    afresh: bool = False
    cluster: str = ""


class Finished(Struct, frozen=True):
    """What came of it. `interrupted` says that not all were graded, `taken` how many were graded before, on the same grounds;
    `faults` names what was not judged, `folders` each student's folder that is unreadable; `notes` tells what was refused or
    renamed, `missing` names who is in the roster and handed nothing in."""

    summary: Summary
    sections: dict[str, str]
    run: str
    round: str
    expected: int
    interrupted: bool
    taken: int = 0
    faults: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    kind: str = "folder"
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    choose: Choose = last  # which of several attempts counts


def choose(course: Course, request: Request) -> tuple[Lesson, list[str]]:
    """Find the lesson and the exercises that are asked for. Raise `UsageError` with what there is."""
    lesson = choose_lesson(course, request.lesson)
    known = exercise_ids(lesson)
    unknown = [name for name in request.exercises if name not in known]
    if unknown:
        raise UsageError(f"no exercise `{unknown[0]}` in {lesson.id}", f"choose one of: {', '.join(known)}")
    return lesson, [name for name in known if not request.exercises or name in request.exercises]


def refuse_readable(places: dict[str, Path]) -> None:
    """Raise `UsageError` where a guest could read what it must not: below the standard library or a given package."""
    readable, _ = readable_paths()
    for what, place in places.items():
        below = next((path for path in readable if place.resolve().is_relative_to(Path(path).resolve())), None)
        if below:
            fix = "use a folder of its own, outside of Python's packages"
            raise UsageError(f"{what} in {below}: submissions can read what lies there", fix)


def refuse_within(out: Path, submissions: Path, kind: str) -> None:
    """Raise `UsageError` where the next run would take results for what a student handed in."""
    places = (out.resolve(),) if kind == "nbgrader" else (out.resolve(), out.resolve().parent)
    if submissions.resolve() in places:
        raise UsageError(f"{out}: results would lie among the submissions", "give --out a folder beside them")


def grade(course: Course, request: Request, progress: Callable[[int, int], None]) -> Finished:
    """Grade a folder of submissions into OUT; `progress` is told how many of how many are done.

    What OUT's gradebook holds already on the same grounds is taken over, so a run that was killed goes on where it was. Ctrl-C keeps
    what is done. Raise `UsageError` for what cannot be graded at all, `StoreFault` where a result cannot be written.
    """
    lesson, exercises = choose(course, request)
    handed_in = open_class(request.submissions, lesson.id, request.kind, request.roster)
    refuse_readable({"course": course.root, "submissions": request.submissions, "results": request.out})
    refuse_within(request.out, request.submissions, handed_in.kind)
    _make(request.out)
    every = course.policy.counts == "best"
    expected = len(exercises) * sum(max(1, len(one.uploads)) if every else 1 for one in handed_in.students)
    sections = {section.id: section.title for section in lesson.sections}
    with storing(request.out), alone(request.out):
        chosen = open_round(request.out, seed=request.seed, new=request.new_round)
        settings, cache_keys = Settings(str(course.root), chosen, request.walls), CacheKeys(course, chosen, request.walls)
        with Gradebook(request.out / "gradebook.sqlite") as gradebook:
            gradebook.enrol(handed_in.people, anew=request.roster is not None)
            run = Run(gradebook, cache_keys, lambda done: progress(done, expected), afresh=request.afresh)
            gradebook.begin(run.name, _absolute(request))
            pool = open_pool(request, settings)
            interrupted = run.grade(handed_in.submissions(lesson.id, exercises, every=every), settings, pool)
            run.summary.sort(exercises)
            rules = read_rules(request.out, gradebook, course.policy)
            strays = unmet(rules.extensions, gradebook.students(run.name) | rules.people.keys(), exercise_ids(lesson))
            write_files(request.out, course, gradebook, run.name, rules)
            summary = _counted(gradebook, run.name, rules) if every else run.summary
    return Finished(
        summary,
        sections,
        run.name,
        chosen.name,
        expected,
        interrupted,
        taken=run.taken,
        faults=tuple(run.faults),
        folders=tuple(f"{one.name}: {one.problem}" for one in handed_in.students if one.problem),
        kind=handed_in.kind,
        notes=(*handed_in.notes, *strays),
        missing=handed_in.missing,
        choose=rules.choose,
    )


def open_pool(request: Request, settings: Settings) -> WorkerPool:
    """Open the workers that are asked for: this machine's cores, or a cluster."""
    if not request.cluster:
        return LocalPool(settings, request.workers or len(os.sched_getaffinity(0)))
    try:
        from autograder.instructor.dask_pool import DaskPool  # here: Dask is an extra, and slow to import
    except ImportError:
        raise UsageError("--cluster needs Dask, which is not installed", "pip install -c constraints.txt -e '.[cluster]'") from None
    return DaskPool(settings, request.cluster)


def _absolute(request: Request) -> Request:
    """Name places so that a later command finds them from anywhere."""
    return replace(request, submissions=request.submissions.resolve(), roster=request.roster and request.roster.resolve())


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out") from None


def _counted(gradebook: Gradebook, run: str, rules: Rules) -> Summary:
    """Summarise the attempts that count, where there may be several."""
    summary = Summary()
    for result in gradebook.results(run, rules.choose):
        summary.add(result)
    return summary
