"""A student's progress: which cards a mistake brings back, which hints are open, and what is done for each objective."""

import math
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from autograder.course.errors import UsageError
from autograder.course.kinds import Mark
from autograder.course.lesson_text import section_texts
from autograder.course.loading import Help, read_hints, writing_minutes
from autograder.course.model import CheckResult, Exercise, Lesson, Question, Section
from autograder.course.own_practice import practised
from autograder.course.schema import did_you_mean
from autograder.course.student_files import names_of
from autograder.grading.recorded import recorded_solution
from autograder.learner.check import Checked, Checker, Remark
from autograder.learner.files import Held, Named, held, named
from autograder.learner.practice import choose, in_order, mastered
from autograder.learner.review.deck import Deck
from autograder.learner.review.log import NAME
from autograder.learner.workspace import State, Workspace

FAULT = "not checked, because the sandbox failed ({fault}). This is not a mistake of yours: check it again."
HIDDEN_REMAIN = "These are the public checks. Your grade comes from the same checks with hidden numbers."
PRINTED = 2_000  # characters of what a student's code printed that are remembered


class Judged(msgspec.Struct, frozen=True):
    """What the checks found in a file, the cards that its mistakes made due, and the file that counts, if that is another one."""

    checked: Checked
    due: tuple[str, ...]
    counting: Path | None


Judge = Callable[[Named, dict[str, Held]], Judged]


def judge(checker: Checker, workspace: Workspace, state: State, one: Named, found: dict[str, Held]) -> Judged:
    """Check one file, remember what was found if it is the one that counts, and make the cards of its mistakes due."""
    checked = checker.check(workspace, one.exercise, one.path)
    counting = found[one.exercise].path if one.exercise in found else one.path
    if one.path == counting:
        remember(state, checked)
    due = bring_back(workspace, checked.checks, f"check {one.exercise}", datetime.now().astimezone())
    return Judged(checked, due, counting if counting != one.path else None)


def bring_back(workspace: Workspace, told: Iterable[CheckResult | Mark], why: str, now: datetime) -> tuple[str, ...]:
    """Make the cards of named misconceptions due, once a day each. Return the ids of those that were not due already."""
    wanted = dict.fromkeys(one.card for one in told if one.outcome == "failed" and one.misconception and one.card)
    if not wanted:
        return ()
    try:
        with Deck.open(workspace.reviews, [workspace.lesson]) as deck:
            brought = deck.bring([f"{workspace.lesson.id}/{card}" for card in wanted], now, why)
            return tuple(name.partition("/")[2] for name in brought)
    except UsageError:  # the log cannot be written now; the check still counts
        return ()


class CardsLeft(msgspec.Struct, frozen=True):
    """What a review would ask now: how many cards are due, by objective, and how many new ones it would begin today."""

    due: Counter[str]
    new: int


def cards_left(workspace: Workspace, now: datetime) -> CardsLeft | None:
    """Return how many cards a review would ask, or None if nothing was reviewed yet."""
    if not (workspace.reviews / NAME).is_file():
        return None
    with Deck.open(workspace.reviews, [workspace.lesson]) as deck:
        left = deck.queue(now)
    return CardsLeft(left.due_by_objective, len(left.new))


class Opened(msgspec.Struct, frozen=True):
    """The open hints of one function, how many it has, and how many attempts opened them."""

    function: str
    hints: tuple[str, ...]
    of: int
    attempts: int


def remember(state: State, checked: Checked) -> None:
    """Record the outcome of a check; hints, progress and the manifest are computed from these records."""
    if checked.checks:
        copied = ("sha256", "score", "max_score", "passed", "failing", "unwritten")
        facts: dict[str, Any] = {name: getattr(checked, name) for name in copied}
        facts["misconceptions"] = sorted({check.misconception for check in checked.checks if check.misconception})
        facts |= {"checks": len(checked.checks), "untouched": bool(checked.problem), "results": checked.checks}
        facts |= {"remarks": checked.remarks, "problem": checked.problem, "printed": checked.stdout[:PRINTED]}
        state.add("check", checked.exercise, **facts)


def results_of(facts: dict[str, Any]) -> tuple[CheckResult, ...]:
    """Return the recorded results of a check; none if an earlier version recorded it."""
    return msgspec.convert(facts.get("results", ()), tuple[CheckResult, ...])


def remarks_of(facts: dict[str, Any]) -> dict[str, Remark]:
    """Return what was recorded beside the failed checks, by check; nothing if an earlier version recorded it."""
    return msgspec.convert(facts.get("remarks", {}), dict[str, Remark])


def hints(workspace: Workspace, state: State, file: str, function: str | None = None) -> Opened | None:
    """Open the hints of a function, by default of the first that was written and fails. None if the whole file passes.

    Raises UsageError for an unknown file or function.
    """
    known = read_hints(workspace.root, workspace.lesson.id)
    exercise = _stuck_in([one.exercise for one in named(workspace, file, held(workspace), unwritten=True)], known, state, function)
    if exercise not in known:
        fix = "practise instead: `course practice` shows the working after each answer"
        raise UsageError(f"there are no hints for {names_of(exercise)[0]}", fix)
    functions, tries = known[exercise].functions, [event.facts for event in state.events("check", exercise)]
    failing = tries[-1]["failing"] if tries else list(functions)
    worked_on = [name for name in failing if not tries or name not in tries[-1]["unwritten"]]
    chosen = function or next(iter(worked_on or failing), None)
    if chosen is None:
        return None
    if chosen not in functions:
        fix = did_you_mean(chosen, functions, f"take one of {', '.join(functions)}")
        raise UsageError(f"{exercise} has no function `{chosen}`", fix)
    tried = [one for one in tries if chosen in one["failing"] and chosen not in one["unwritten"] and not one["untouched"]]
    attempts = len({one["sha256"] for one in tried})
    opened = Opened(chosen, functions[chosen][:attempts], len(functions[chosen]), attempts)
    if opened.hints:
        state.add("hint", f"{exercise}.{chosen}", level=len(opened.hints))
    return opened


def _stuck_in(exercises: list[str], known: dict[str, Help], state: State, function: str | None) -> str:
    """Return which of a file's exercises a hint is for: that of the function, or the one checked last of those that fail."""
    if function:
        return next((one for one in exercises if one in known and function in known[one].functions), exercises[0])
    checked = {event.subject: event.facts for event in state.events("check")}
    failing = [one for one in checked if one in exercises and checked[one]["failing"]]
    return next(reversed(failing), None) or next((one for one in exercises if one not in checked), exercises[0])


def solution(workspace: Workspace, state: State, wanted: str) -> str:
    """Return an exercise's solution, each function below its hints. Raise `UsageError` until all its public checks have passed once."""
    exercises = {one.id: one for one in workspace.lesson.exercises}
    exercise = exercises.get(wanted.removesuffix(".py"))
    if exercise is None:
        raise UsageError(f"there is no exercise `{wanted}`", did_you_mean(wanted, exercises, f"take one of {', '.join(exercises)}"))
    if not any(event.facts["passed"] == event.facts["checks"] for event in state.events("check", exercise.id)):
        fix = f"first pass them all: `course check {exercise.id}`, and `course hint {exercise.id}` if you are stuck"
        raise UsageError(f"the solution of {exercise.id} is shown once its public checks have passed", fix)
    path = solution_file(exercise)
    if path is None:
        fix = "ask your instructor: `show_solutions` in the course's policy allows it"
        raise UsageError(f"the solution of {exercise.id} is not shown in this course", fix)
    known = read_hints(workspace.root, workspace.lesson.id).get(exercise.id)
    return _annotated(path.read_text(encoding="utf-8"), known.functions if known else {})


def solution_file(exercise: Exercise) -> Path | None:
    """Return the solution that students may see after a pass: in a clone every one, in a release those that its course allows."""
    return next((path for path in (exercise.answer, recorded_solution(exercise)) if path.is_file()), None)


def _annotated(source: str, told: dict[str, tuple[str, ...]]) -> str:
    """Write hints as comments above the functions that they are for."""
    lines: list[str] = []
    for line in source.splitlines():
        found = re.match(r"(?:def|class) (\w+)", line)
        for hint in told.get(found[1], ()) if found else ():
            lines += textwrap.wrap(hint, 76, initial_indent="# ", subsequent_indent="#   ")
        lines.append(line)
    return "\n".join(lines) + "\n"


class Part(msgspec.Struct, frozen=True):
    """How many of how many are done, and the first that is not."""

    done: int
    of: int
    following: str = ""


class Standing(msgspec.Struct, frozen=True):
    """A student's progress with one objective. `due` is None if there is no review log."""

    objective: str
    text: str
    read: Part
    practised: Part
    checked: Part
    due: int | None


def standings(workspace: Workspace, state: State, cards: CardsLeft | None = None) -> tuple[Standing, ...]:
    """Return the progress with each objective."""
    lesson = workspace.lesson
    sections = {event.subject for event in state.events("read")}
    checked = {event.subject: event.facts for event in state.events("check")}  # the last of each
    passed = {exercise for exercise, facts in checked.items() if facts["passed"] == facts["checks"]}
    helps = read_hints(workspace.root, lesson.id)
    found = []
    for objective in lesson.objectives:
        own = [question for question in practised(lesson) if question.objective == objective.id]
        exercises = [one.id for one in lesson.exercises if one.id in helps and objective.id in helps[one.id].objectives]
        read = _part(sections_of(lesson, objective.id), sections)
        answered = _part([question.id for question in own], {question.id for question in own if mastered(state, question)})
        counted = cards.due[objective.id] if cards else None
        found.append(Standing(objective.id, objective.text, read, answered, _part(exercises, passed), counted))
    return tuple(found)


def sections_of(lesson: Lesson, objective: str) -> list[str]:
    """Return the ids of the main sections that an objective needs: those that its cards and questions are about."""
    used = {card.section for card in lesson.cards if card.objective == objective}
    used |= {question.section for question in practised(lesson) if question.objective == objective}
    return [section.id for section in lesson.main if section.id in used]


def _part(wanted: list[str], done: set[str]) -> Part:
    left = [one for one in wanted if one not in done]
    return Part(len(wanted) - len(left), len(wanted), left[0] if left else "")


def following_exercise(workspace: Workspace, state: State) -> str | None:
    """Return the first exercise of the lesson that did not pass its last check, if there is one."""
    checked = {event.subject: event.facts for event in state.events("check")}
    passed = {exercise for exercise, facts in checked.items() if facts["passed"] == facts["checks"]}
    return next((exercise.id for exercise in workspace.lesson.exercises if exercise.id not in passed), None)


class Step(msgspec.Struct, frozen=True):
    """One thing to do: to read a section, to practise a question, to write an exercise, or to hand in."""

    kind: Literal["read", "practice", "check", "submit"]
    subject: str = ""

    @property
    def command(self) -> str:
        """What does it in a terminal."""
        return f"course {self.kind} {self.subject}{'.py' * (self.kind == 'check')}".rstrip()


def advice(workspace: Workspace, state: State, found: tuple[Standing, ...]) -> Step:
    """Return the next step: for each objective reading, then the core of practice, then writing; nothing that is optional.

    Reading goes on where it stopped, whatever the objective.
    """
    first, section = choose(workspace.lesson, state, None), next_section(workspace.lesson, state)
    core = {one.objective for one in practised(workspace.lesson) if one.core and not mastered(state, one)}
    for standing in found:
        if standing.read.following and section:
            return Step("read", section.id)
        if first and standing.objective in core:
            return Step("practice", first.id)  # as `course practice` does by itself
        if standing.checked.following:
            return Step("check", following_exercise(workspace, state) or "")
    return Step("submit")


class Plan(msgspec.Struct, frozen=True):
    """What is left: minutes of reading, core questions, cards that are due and new ones for today, the next exercise and its minutes."""

    minutes: int
    core: int
    due: int
    new: int
    exercise: str | None
    writing: int


def plan(workspace: Workspace, state: State, cards: CardsLeft | None = None) -> Plan:
    """Return what is left to do."""
    lesson, seen = workspace.lesson, {event.subject for event in state.events("read")}
    core = sum(one.core and not mastered(state, one) for one in practised(lesson))
    minutes = math.ceil(round(sum(taken for section, taken in minutes_of(lesson).items() if section not in seen), 6))
    due, new = (cards.due.total(), cards.new) if cards else (0, 0)
    exercise = following_exercise(workspace, state)
    return Plan(minutes, core, due, new, exercise, writing_minutes(workspace.root, lesson).get(exercise or "", 0))


def minutes_of(lesson: Lesson) -> dict[str, float]:
    """Return the minutes that each main section takes: those of the lesson, shared out by length."""
    lengths = {section.id: len(text) for section, text in section_texts(lesson) if not section.appendix}
    return {section: lesson.minutes * length / max(1, sum(lengths.values())) for section, length in lengths.items()}


class Work(msgspec.Struct, frozen=True):
    """What there is to do after a section: its first question, the number of its cards, and the exercises that it leads to."""

    question: Question | None
    cards: int
    exercises: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.question or self.cards or self.exercises)


def work_after(root: Path, lesson: Lesson) -> dict[str, Work]:
    """Return what there is to do after each main section, by the section's id; the core of practice comes first."""
    helps, asked = read_hints(root, lesson.id), in_order(lesson)
    return {
        section.id: Work(
            next((question for question in asked if question.section == section.id), None),
            sum(card.section == section.id for card in lesson.cards),
            tuple(one.id for one in lesson.exercises if one.id in helps and section.id in helps[one.id].sections),
        )
        for section in lesson.main
    }


def next_section(lesson: Lesson, state: State) -> Section | None:
    """Return where to go on reading: the section one was in, or if that is read the next unread one; None if all are read."""
    read, order = {event.subject for event in state.events("read")}, [section.id for section in lesson.main]
    places = sorted((*state.events("reading"), *state.events("read")), key=lambda event: event.at)
    place = order.index(places[-1].subject) if places and places[-1].subject in order else 0
    unread = [section for section in (*lesson.main[place:], *lesson.main[:place]) if section.id not in read]
    return unread[0] if unread else None


class Total(msgspec.Struct, frozen=True):
    """How many there are of something in a lesson: those that everybody does, and those that are optional."""

    what: str
    core: int
    optional: int


def totals(lesson: Lesson) -> tuple[Total, ...]:
    """Count the sections, practice questions, cards and exercises of a lesson."""
    asked, marked = practised(lesson), any(card.core for card in lesson.cards)
    counted = {
        "section": (len(lesson.main), len(lesson.sections)),
        "question": (sum(question.core for question in asked), len(asked)),
        "card": (sum(card.core or not marked for card in lesson.cards), len(lesson.cards)),
        "file": (len(lesson.exercises), len(lesson.exercises)),
    }
    return tuple(Total(what, core, of - core) for what, (core, of) in counted.items())
