"""Course > Lesson > Exercise > Check (or Question) as frozen data: nothing here reads files, runs code or judges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct, field

from autograder.course.policy import Policy


class Objective(Struct, frozen=True):
    id: str
    text: str
    line: int = 0


class Section(Struct, frozen=True):
    """A heading `## Title {#id}` in the lesson's text, on line `line`; `{#id .appendix}` is for what is opened only on demand."""

    id: str
    title: str
    line: int
    appendix: bool = False


class Card(Struct, frozen=True):
    """One flashcard. `front` and `back`, or `cloze` alone, are Markdown with LaTeX; the id never changes.

    If a lesson has `core` cards, they are asked first, and the others are optional.
    """

    id: str
    objective: str
    section: str
    front: str = ""
    back: str = ""
    cloze: str = ""
    core: bool = False
    tags: tuple[str, ...] = ()
    line: int = 0


class Exercise(Struct, frozen=True):
    """A file that students write, and the three files that judge it. A student release has `recordings` in place of two of them."""

    id: str
    lesson: str
    starter: Path
    checks: Path
    answer: Path
    misconceptions: Path
    recordings: Path
    imports: tuple[str, ...] = ()  # packages that the starter imports

    @property
    def quantities(self) -> Path:
        """The lesson's names for the numbers in its formulas; not every lesson has them."""
        return self.answer.with_name("quantities.py")


class Range(Struct, frozen=True, forbid_unknown_fields=True):
    """A number in a question: its published value, and the grid from which fresh values are drawn.

    `symbol` is how feedback names it, by default by its name; an empty one leaves it out.
    """

    published: float
    low: float
    high: float
    step: float
    symbol: str | None = None


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    text: str


class Question(Struct, frozen=True):
    """One practice question, or one part of one.

    number: `numbers` fill `[[name]]` in the text, `computes` names the reference function (EXERCISE.FUNCTION) that is
    called with `arguments` in order, and `detects` the misconceptions of that function that a wrong answer can show. Without it, the
    key has a formula.
    choice, order: `choices`, and for a choice `several`. match: `choices` on the left, `options` on the right.
    parts: questions that share the text and the numbers.
    """

    id: str
    kind: str  # a key of `kinds.KINDS`
    text: str
    line: int
    objective: str = ""
    section: str = ""
    card: str | None = None
    points: float = 1
    core: bool = False
    numbers: dict[str, Range] = field(default_factory=dict)
    computes: str = ""
    arguments: tuple[str | float, ...] = ()
    decimals: int = 3
    tolerance: float = 0.0
    detects: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    options: tuple[Choice, ...] = ()
    several: bool = False
    parts: tuple[Question, ...] = ()

    @property
    def repeated(self) -> bool:
        """Whether it is asked until several fresh variants in a row are right: it has numbers, and no parts that repeat the idea."""
        return bool(self.numbers) and not self.parts


class Wrong(Struct, frozen=True, forbid_unknown_fields=True):
    """The feedback to a wrong choice: a sentence, its misconception (a function's name or a card's tag), and the card to bring back."""

    sentence: str
    misconception: str | None = None
    card: str | None = None


class Mistake(Struct, frozen=True, forbid_unknown_fields=True):
    """A misconception of a formula, as the formula that a student with it would take; section and card are the question's if not named."""

    formula: str
    sentence: str
    section: str | None = None
    card: str | None = None


class Key(Struct, frozen=True):
    """The answer to a question, in `solutions/`: what is right, the feedback to each wrong choice, and the working, line by line.

    `computes`: the formula of a number, if the question names no function for it; `mistakes` are keyed by a short name.
    `right`: a choice's id (a list of them where several are right), an order as a list of ids, a match as left: right.
    `wrong` is keyed by the choice, by `first>second` for two neighbours in the wrong order, by `left=right` for a match.
    """

    right: str | tuple[str, ...] | dict[str, str] | None = None
    wrong: dict[str, Wrong] = field(default_factory=dict)
    working: tuple[str, ...] = ()
    parts: dict[str, Key] = field(default_factory=dict)
    line: int = 0
    computes: str = ""
    mistakes: dict[str, Mistake] = field(default_factory=dict)

    def part(self, name: str) -> Key:
        """Return the key of a part; it says nothing if there is none."""
        return self.parts.get(name, Key())


class Lesson(Struct, frozen=True):
    """One lesson. `text` is its Markdown with empty lines for the front matter, so that lines keep their numbers."""

    id: str
    title: str
    number: int
    minutes: int
    objectives: tuple[Objective, ...]
    prerequisites: tuple[str, ...]
    sections: tuple[Section, ...]
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]
    keys: dict[str, Key]
    cards: tuple[Card, ...]
    text: str = ""
    reference: tuple[str, ...] = ()  # modules whose public functions its computed numbers may use
    explain: tuple[str, ...] = ()  # questions that a person marks
    practice: Literal["open", "own"] = "open"  # the policy's

    @property
    def main(self) -> tuple[Section, ...]:
        """The sections that everybody reads: all but the appendix."""
        return tuple(section for section in self.sections if not section.appendix)


class Course(Struct, frozen=True):
    title: str
    track: str
    phase: str
    policy: Policy
    lessons: tuple[Lesson, ...]
    root: Path


class Check(Struct, frozen=True):
    """One test of a function: `function(student, reference[, rng])` calls and compares; `draws` if it takes `rng`."""

    id: str
    title: str
    points: float
    of: str
    needs: tuple[str, ...]
    function: Callable[..., None]
    draws: bool = False


class Misconception(Struct, frozen=True):
    """A misconception as the function that a student with it would write, and the sentence that corrects it."""

    id: str
    of: str
    sentence: str
    section: str
    card: str
    function: Callable[..., Any]


CheckOutcome = Literal["passed", "failed", "not_judged"]
Reason = Literal["wrong", "raised", "timed_out", "out_of_memory", "killed", "refused", "needs", "fault"]
Status = Literal["graded", "missing", "unrecognised", "unreadable", "not_judged"]
OverrideKind = Literal["points", "bonus", "deduction", "excused", "on_hold", "dropped"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Unused(Struct, frozen=True):
    """A file that was handed in and not taken."""

    file: str
    why: str  # a clause that follows "because"
    fix: str = ""  # what to do about it


class HandedIn(Struct, frozen=True):
    """How a file was handed in: which attempt it is, when, and whether the platform marks it as late."""

    attempt: int = 1
    at: datetime | None = None
    late: bool | None = None  # if the platform says
    minutes_late: int = 0  # if it says how much
    name: str = ""  # what it was called, if not by its own name
    unused: tuple[Unused, ...] = ()  # files that were handed in with it and not taken
    origin: tuple[str, str] | None = None  # the platform, and the start of its name for it, by which feedback finds back


class Override(Struct, frozen=True):
    """What a person decides instead of the grader, and why: for a check, for an exercise, or, without both, for the student."""

    student: str  # the person's key in the gradebook
    lesson: str
    exercise: str
    check: str
    points: float
    reason: str
    made_at: str
    kind: OverrideKind = "points"
    withdrawn: bool = False


class Submission(Struct, frozen=True):
    """One student's file for one exercise, before an attempt at grading it. `source` is None if there is nothing to grade: see `status`."""

    student: str
    lesson: str
    exercise: str
    name: str
    source: bytes | None
    sha256: str | None
    status: Literal["present", "missing", "unrecognised", "unreadable"]
    problem: str = ""
    handed_in: HandedIn = HandedIn()
    ids: tuple[str, ...] = ()  # numbers, logins and names by which the student is known


class Failure(Struct, frozen=True, omit_defaults=True):
    """What went wrong in a check, as data; `grading.feedback` puts it into words.

    kind: "value" a wrong value, "demand" anything else that the check demands, "missing" no such function, "unanswered" no answer
    to the question, "ended" no value at all: the check's `reason` says how.
    """

    kind: Literal["value", "demand", "missing", "unanswered", "ended"]
    function: str = ""  # that was called last
    call: str = ""  # with its arguments, short; empty if these are secret
    file: str = ""  # in place of a function, if the file as a whole failed
    words: str = ""  # what the call did, as the rest of a sentence; empty if that is secret
    exception: str = ""  # the class of what it raised
    lines: tuple[str, ...] = ()  # of the student's file, that the exception passed through
    advice: str = ""  # what to try after it
    uses: str = ""  # a function that is wrong, and that this one uses
    perhaps: bool = False  # whether it is not known that this matters
    published: bool = False  # whether it is right for the published numbers


class Idea(Struct, frozen=True):
    """The mistake that explains everything a function gave: `sentence` says what is wrong and what puts it right."""

    kind: Literal["written", "coefficients", "rewrite"]  # a misconception, a formula that the numbers follow, or what it is as if
    of: str
    sentence: str


class CheckResult(Struct, frozen=True):
    """The contract's record of one check; `reason` is None when it passed, `failure` unless a call or an answer failed."""

    id: str
    title: str
    points: float
    max_points: float
    outcome: CheckOutcome
    reason: Reason | None = None
    message: str = ""
    misconception: str | None = None
    section: str | None = None
    card: str | None = None
    seconds: float = 0.0
    failure: Failure | None = None
    diagnosis: Idea | None = None


class Result(Struct, frozen=True):
    """The contract's record of one attempt: one line of `results.jsonl`."""

    student: str
    lesson: str
    exercise: str
    status: Status
    score: float
    max_score: float
    checks: tuple[CheckResult, ...]
    stdout: str
    sha256: str | None
    round: str
    graded_at: str
    version: str


class Notes(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What only the instructor may see of an attempt: what a secret run saw, by check, and why something could not be judged.

    `shared_errors` holds, by function, a hash of all wrong values that no misconception explains: equal hashes, equal answers.
    """

    failures: dict[str, Failure] = {}
    shared_errors: dict[str, str] = {}
    fault: str = ""
    lacked: tuple[str, ...] = ()  # modules for which it was run again with more preloaded
