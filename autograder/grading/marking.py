"""The mark of an answer, and of all answers in a file."""

import shlex
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from autograder.course.answers import Answered, AnswersError, read_answers
from autograder.course.kinds import Drawn, Mark, Remark, failed, ids_of, mark_answer, misread
from autograder.course.lesson_text import titled
from autograder.course.model import CheckResult, Failure, Key, Lesson, Question, Submission
from autograder.course.own_practice import FOR, Own, names_asked, place_of, relabelled, who
from autograder.course.text import clean, quoted
from autograder.grading.attempt import Attempt
from autograder.grading.feedback import mark_message
from autograder.grading.questions import Functions, counting, values, variant

MOST_STRAYS = 20  # answers to no question that are told


def mark(question: Question, key: Key, answer: Any, functions: Functions) -> Mark:
    """Mark an answer; `{seed: 7, answer: 0.790}` answers a fresh variant."""
    seed = None
    if isinstance(answer, dict) and "seed" in answer:
        seed = answer["seed"]
        if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) > 2**63:
            return failed(question, Remark("no_seed"))
        if answer.keys() - {"seed", "answer"}:
            return failed(question, Remark("no_variant"))
        answer = answer.get("answer")
    numbers = variant(question, seed, functions)
    return mark_answer(question, key, answer, Drawn(numbers, lambda part: values(part, numbers, functions)))


def mark_own(question: Question, key: Key, answer: Any, functions: Functions, own: Own) -> Mark:
    """Mark an answer to the student's own numbers, and choices in their own order."""
    numbers = counting(question, own.token, place_of(question, own), functions)
    asked, known = relabelled(question, key, own)
    return mark_answer(asked, known, answer, Drawn(numbers, lambda part: values(part, numbers, functions)))


def mark_answers(submission: Submission, lesson: Lesson, functions: Functions, token: str = "") -> Attempt:
    """Mark an `answers.yaml`: each question is a check of its own. `token` is the round's, for where each student has own numbers."""
    try:
        read = read_answers(submission.source or b"", names_asked(lesson))
    except AnswersError as error:
        return _refused(submission, lesson, f"`{submission.name}` cannot be read: {error}")
    if lesson.practice == "open":
        return Attempt(_all_marked(lesson, read, lambda question, key, answer: mark(question, key, answer, functions)))
    ids = [who(one) for one in (*submission.ids, submission.student)]
    claimed = read.given.pop(FOR, None)
    if claimed is not None and who(claimed) not in ids:
        yours = clean((*submission.ids, submission.student)[0], 80)
        problem = f"`{submission.name}` answers the numbers of {quoted(str(claimed))}, and you are {quoted(yours)}"
        return _refused(submission, lesson, f"{problem}: see your own with `course practice --for-grading {shlex.quote(yours)}`")

    def marked(student: str) -> tuple[CheckResult, ...]:
        own = Own(token, student)
        return _all_marked(lesson, read, lambda question, key, answer: mark_own(question, key, answer, functions, own))

    tried = [who(claimed)] if claimed is not None else list(dict.fromkeys(ids))
    return Attempt(max(map(marked, tried), key=lambda checks: sum(check.points for check in checks)))


def own_problems(lesson: Lesson, source: bytes) -> list[str]:
    """Return what keeps answers from being marked, where practice counts: a line for each, without the question's key."""
    try:
        read = read_answers(source, names_asked(lesson))
    except AnswersError as error:
        return [f"It cannot be read: {error}."]
    lines = [f"{name}: {problem}." for name, problem in read.problems.items()] + [f"`{line}` is not read." for line in read.unread]
    answers = dict(read.given)
    lines += [] if answers.pop(FOR, None) is not None else [f"It does not say whose numbers it answers: write `{FOR}: ID` above them."]
    for question in lesson.questions:
        asked, _ = relabelled(question, Key())
        if question.id not in read.problems and (remarks := misread(asked, answers.pop(question.id, None))):
            lines += [f"{question.id}: {line}" for line in mark_message(asked, Mark(0, "failed", remarks)).split("\n")]
    return lines + [f"There is no question {quoted(name)}." for name in answers][:MOST_STRAYS]


def listed(lesson: Lesson) -> list[tuple[str, str, float]]:
    """Return the id, title and points of each question of a lesson."""
    return [(question.id, titled(question.id, lesson.text), question.points) for question in lesson.questions]


def _refused(submission: Submission, lesson: Lesson, problem: str) -> Attempt:
    whole = Failure("ended", file=submission.name)
    checks = (CheckResult(id, title, 0, points, "failed", "refused", problem, failure=whole) for id, title, points in listed(lesson))
    return Attempt(tuple(checks))


def _all_marked(lesson: Lesson, read: Answered, marking: Callable[[Question, Key, Any], Mark]) -> tuple[CheckResult, ...]:
    def made(question: Question) -> Mark:
        if problem := read.problems.get(question.id):
            return failed(question, Remark("unread", sentence=problem))
        return marking(question, lesson.keys.get(question.id, Key()), read.given.get(question.id))

    return tuple(_marked(question, titled(question.id, lesson.text), made(question), read, lesson) for question in lesson.questions)


def _marked(question: Question, title: str, made: Mark, read: Answered, lesson: Lesson) -> CheckResult:
    if made.outcome == "passed":
        return CheckResult(question.id, title, made.points, question.points, "passed")
    hints = _hints(question, read, lesson) if made.remarks == (Remark("blank"),) else []
    return CheckResult(
        id=question.id,
        title=title,
        points=made.points,
        max_points=question.points,
        outcome="failed",
        reason="refused" if question.id in read.problems else "wrong",
        message=" ".join([mark_message(question, made), *hints]),
        misconception=made.misconception,
        section=made.section,
        card=made.card,
        failure=Failure("unanswered") if made.remarks == (Remark("blank"),) and not hints else None,
    )


def _hints(question: Question, read: Answered, lesson: Lesson) -> list[str]:
    """Say what in the file may be meant for a question that has no answer."""
    found = {line: f"The line {quoted(line)} was not read" for line in read.unread}
    if question.id not in read.given:
        strays = [str(name)[:100] for name in read.given if name not in ids_of(lesson.questions)][:100]
        found |= {name: f"There is an answer to `{name}`" for name in strays}
    return [f"{found[near]}: is it meant for this question?" for near in get_close_matches(question.id, found, 1)]
