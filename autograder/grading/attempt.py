"""START HERE: one submission, from file to Result.

    source -> guest: load          the student's file runs behind the wall
    each check: call, compare      with the round's secret numbers -> transcripts
    a check failed:                which misconception explains all that the function gave?
                                   run it again with the published numbers, so that the message gives no secret away
    -> Result, and a private note  what the secret run saw, for the instructor's eyes

A question of the exercise `practice` is marked without a guest: an answer is data, not code. Trouble of ours is raised as
`SandboxFault`; it is never a student's zero.
"""

from __future__ import annotations

import msgspec

from autograder.course.model import Check, CheckResult, Exercise, Misconception, Submission
from autograder.grading.checks import Transcript, load_checks, seed_of
from autograder.grading.diagnosis import Diagnosis, load_misconceptions, shared_by
from autograder.grading.recorded import ReplayedAnswers, known_calls, misconceptions_of, read_recordings
from autograder.grading.reference import Answering, Answers, load_module
from autograder.grading.submission_run import Sitting
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.servers import Sandbox

PUBLIC = b"published numbers"
ALIKE = "alike:"  # in the private notes, before a function's name: the hash of the wrong values that no misconception explains


class Materials(msgspec.Struct, frozen=True):
    """What judges one exercise, loaded: its checks, the reference's answers, and the misconceptions."""

    exercise: Exercise
    checks: tuple[Check, ...]
    answers: Answering
    misconceptions: tuple[Misconception, ...]
    diagnosis: Diagnosis


class Attempt(msgspec.Struct, frozen=True):
    """What came of one submission: the checks, what the student may see printed, and what only the instructor may see.

    `transcripts` are by the check's id. They hold the run's numbers, so at home alone they are a student's to see.
    """

    checks: tuple[CheckResult, ...]
    stdout: str
    private: dict[str, str]
    transcripts: dict[str, Transcript] = {}


def load_materials(exercise: Exercise) -> Materials:
    """Load an exercise's checks, answer and misconceptions, or in a student release what was recorded of these.

    Raise `CourseError` where they do not fit together.
    """
    checks, props = load_checks(exercise.checks), exercise.starter.parent / "props.py"
    if exercise.recordings.is_file():
        recorded = read_recordings(exercise)
        replayed, known = ReplayedAnswers(recorded, exercise.recordings, props), misconceptions_of(recorded)
        return Materials(exercise, checks, replayed, known, Diagnosis(checks, replayed, known, known_calls(recorded)))
    answers, misconceptions = Answers(load_module(exercise.answer), props), load_misconceptions(exercise.misconceptions)
    return Materials(exercise, checks, answers, misconceptions, Diagnosis(checks, answers, misconceptions))


def attempt(submission: Submission, materials: Materials, sandbox: Sandbox | LocalRunner, secret: bytes) -> Attempt:
    """Judge one submission with the numbers of `secret`. Raise `SandboxFault` where the sandbox fails."""
    seeds, public, torch = _seeds(materials, secret), secret == PUBLIC, materials.exercise.uses_torch
    judged = Sitting(submission, materials.checks, materials.answers, sandbox, seeds, torch=torch)
    judged.play(materials.checks)
    failed = [check for check in materials.checks if judged.failed(check)]
    again = Sitting(submission, materials.checks, materials.answers, sandbox, _seeds(materials, PUBLIC), torch=torch)
    if not public and any(_worth_a_rerun(judged.transcripts[check.id]) for check in failed if check.id in judged.transcripts):
        again.play(tuple(check for check in materials.checks if not judged.waiting(check)))
    used = {of: judged.leans_on(of) for of in dict.fromkeys(check.of for check in failed)}
    own = [of for of, wrong in used.items() if not wrong]  # whatever leans on a wrong function is no evidence of a misconception
    misconceptions = {of: materials.diagnosis.name(of, judged.transcripts, seeds) for of in own}
    results = tuple(
        _result(one, judged, again, misconceptions.get(one.of), used.get(one.of, ""), public=public) for one in materials.checks
    )
    private = {check.id: judged.words(check, numbers=True) for check in failed}
    shared = {of: shared_by(of, judged.transcripts) for of, misconception in misconceptions.items() if misconception is None}
    private |= {ALIKE + of: found for of, found in shared.items() if found}
    not_executed = {name: Transcript(ended=outcome) for name, outcome in judged.not_executed.items()}
    return Attempt(results, judged.printed, private, not_executed | judged.transcripts)


def _seeds(materials: Materials, secret: bytes) -> dict[str, int]:
    return {check.id: seed_of(secret, materials.exercise.id, check.id) for check in materials.checks}


def _worth_a_rerun(transcript: Transcript) -> bool:
    return transcript.ended is None or transcript.ended.kind in ("raised", "refused")


def _result(check: Check, judged: Sitting, again: Sitting, misconception: Misconception | None, used: str, *, public: bool) -> CheckResult:
    """Put into the contract's words what the sittings saw of one check; `used` is a wrong function that its own leans on."""
    seconds = round(judged.seconds.get(check.id, 0.0), 4)
    if judged.passed(check):
        return CheckResult(check.id, check.title, check.points, check.points, "passed", seconds=seconds)
    waiting = judged.waiting(check)
    if waiting:
        words = f"Not judged: it needs “{waiting.title}”, which did not pass."
        return CheckResult(check.id, check.title, 0, check.points, "not_judged", "needs", words, seconds=seconds)
    if again.passed(check):
        message = f"{judged.words(check, numbers=False)} It is right for the published numbers, wrong for fresh ones."
    elif again.executed(check):
        message = again.words(check, numbers=True)
    else:
        message = judged.words(check, numbers=public)
    hint = f" It uses `{used}`, which is not right yet: mend that first." if used else ""
    return CheckResult(
        id=check.id,
        title=check.title,
        points=round(check.points * judged.share(check), 2),
        max_points=check.points,
        outcome="failed",
        reason=judged.reason(check),
        message=message + (f" {misconception.sentence}" if misconception else hint),
        misconception=misconception.id if misconception else None,
        section=misconception.section if misconception else None,
        card=misconception.card if misconception else None,
        seconds=seconds,
    )


# ---- practice: answers are data
