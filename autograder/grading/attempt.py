"""START HERE: one submission, from file to Result.

    source -> guest: load          the student's file runs behind the walls
    each check: call, compare      with the round's secret numbers -> transcripts
    a check failed:                which idea explains every value that the function gave? What it then gives with the published
                                   numbers is known. If the file gives something else with them, or if no idea explains it, it is
                                   run again with them in a guest that knows no secret one: no message gives one away
    -> the results, and notes      what the secret run saw, for the instructor only

Answers to practice questions are marked without a guest (see `questions`): an answer is data, not code. A fault of ours is raised as
`SandboxFault`; it never costs a student points.
"""

import msgspec
from msgspec.structs import replace

from autograder.course.model import Check, CheckResult, Exercise, Failure, Misconception, Notes, Submission
from autograder.grading import feedback
from autograder.grading.checks import Transcript, load_checks, seed_of
from autograder.grading.coefficients import load_quantities
from autograder.grading.diagnosis import Cause, Diagnosis, load_misconceptions, shared_errors
from autograder.grading.recorded import Replay, ReplayedAnswers, misconceptions_of, read_recordings
from autograder.grading.reference import Answers, Oracle, load_module
from autograder.grading.reruns import Reruns
from autograder.grading.submission_run import SubmissionRun
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.servers import Sandbox

PUBLIC = b"published numbers"


class Materials(msgspec.Struct, frozen=True):
    """What judges one exercise, loaded: its checks, the reference's answers and the misconceptions."""

    exercise: Exercise
    checks: tuple[Check, ...]
    answers: Oracle
    misconceptions: tuple[Misconception, ...]
    diagnosis: Diagnosis


class Attempt(msgspec.Struct, frozen=True):
    """One submission, judged: a result for each check, what it printed, and what only the instructor may see.

    `transcripts`, by the check's id, hold the run's numbers: a student may see them only if these are published.
    """

    checks: tuple[CheckResult, ...]
    stdout: str = ""
    notes: Notes = Notes()
    transcripts: dict[str, Transcript] = {}


def load_materials(exercise: Exercise) -> Materials:
    """Load an exercise's checks, answer and misconceptions; in a student release, what was recorded of them.

    Raise `CourseError` if they do not fit together.
    """
    checks, props = load_checks(exercise.checks), exercise.starter.parent / "props.py"
    if exercise.recordings.is_file():
        recorded = read_recordings(exercise)
        replayed, known = ReplayedAnswers(recorded, exercise.recordings, props), misconceptions_of(recorded)
        return Materials(exercise, checks, replayed, known, Diagnosis(known, Replay(recorded, checks, replayed)))
    answers, misconceptions = Answers(load_module(exercise.answer), props), load_misconceptions(exercise.misconceptions)
    reruns = Reruns(checks, answers, load_quantities(exercise.quantities), exercise.answer)
    return Materials(exercise, checks, answers, misconceptions, Diagnosis(misconceptions, reruns))


def known_misconceptions(exercise: Exercise) -> tuple[Misconception, ...]:
    """Load an exercise's misconceptions alone: a release recorded them, and needs no framework for that."""
    return misconceptions_of(read_recordings(exercise)) if exercise.recordings.is_file() else load_misconceptions(exercise.misconceptions)


def attempt(submission: Submission, materials: Materials, sandbox: Sandbox | LocalRunner, secret: bytes) -> Attempt:
    """Judge one submission with the numbers of `secret`. Raise `SandboxFault` if the sandbox fails."""
    diagnosis, run = materials.diagnosis, _run(submission, materials, sandbox, secret)
    with run.executed(materials.checks):
        failed = [check for check in materials.checks if run.failed(check)]
        published = run if secret == PUBLIC else _run(submission, materials, sandbox, PUBLIC, run.profile)
        causes = diagnosis.known(failed, run, rewrites=published is not run)
        if published is not run:
            diagnosis.tell(failed, causes, run, published)
    if published is not run:
        _repeat(failed, run, published)
    causes = diagnosis.explained(failed, causes, run, published)
    trouble = "; ".join(cause.trouble for cause in causes.values() if cause.trouble)
    return Attempt(
        checks=tuple(_result(check, run, published, causes.get(check.of, Cause())) for check in materials.checks),
        stdout=published.printed if run.printed_in_calls else run.printed,
        notes=Notes(
            {check.id: run.failure(check, numbers=True) for check in failed}, shared_errors(causes, run.transcripts), trouble, run.lacked
        ),
        transcripts={check.id: run.transcript(check) for check in materials.checks if run.tried(check)},
    )


def _run(submission: Submission, materials: Materials, sandbox: Sandbox | LocalRunner, secret: bytes, profile: str = "") -> SubmissionRun:
    seeds = {check.id: seed_of(secret, materials.exercise.id, check.id) for check in materials.checks}
    return SubmissionRun(submission, materials.checks, materials.answers, sandbox, seeds, materials.exercise.imports, profile)


def _repeat(failed: list[Check], run: SubmissionRun, published: SubmissionRun) -> None:
    """Run what failed with the published numbers, where that is not known already."""
    if run.printed_in_calls or any(run.worth_a_rerun(check) for check in failed):
        again = {check.of for check in failed if not published.tried(check)}
        wanted = [check for check in run.checks if run.printed_in_calls or check.of in again]
        with published.executed(check for check in wanted if not run.waits_for(check)):
            pass


def _result(check: Check, run: SubmissionRun, published: SubmissionRun, cause: Cause) -> CheckResult:
    """Return the contract's record of one check."""
    result = CheckResult(check.id, check.title, check.points, check.points, "passed", seconds=round(run.seconds.get(check.id, 0.0), 4))
    if run.passed(check):
        return result
    if needed := run.waits_for(check):
        return replace(result, points=0, outcome="not_judged", reason="needs", message=feedback.waiting(needed))
    failure = replace(_failure(check, run, published), uses=cause.uses, perhaps=cause.perhaps)
    known = cause.misconception
    return replace(
        result,
        points=round(check.points * run.transcript(check).share, 2),
        outcome="failed",
        reason=feedback.reason(run.transcript(check)),
        message=feedback.message(failure, cause.idea),
        misconception=known and known.id,
        section=known and known.section,
        card=known and known.card,
        failure=failure,
        diagnosis=cause.idea,
    )


def _failure(check: Check, run: SubmissionRun, published: SubmissionRun) -> Failure:
    """Return what went wrong, with the published numbers if it did there too, and otherwise without any."""
    if published.passed(check):
        return replace(run.failure(check, numbers=False), published=True)
    return published.failure(check, numbers=True) if published.tried(check) else run.failure(check, numbers=False)
