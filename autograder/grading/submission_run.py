"""One submission against the checks, with one set of numbers: guests come and go, transcripts stay.

A guest that died is replaced for the next check, at most twice, and all guests of a sitting share one budget of CPU time.
Where the clock on the wall alone stopped something, this machine may have been too busy: that is tried again, once in a sitting.
It says what became of each check; what that is worth is said in `attempt`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from autograder.course.model import Check, Reason, Submission
from autograder.grading import explain
from autograder.grading.checks import Asked, Transcript, run
from autograder.grading.reference import Answering, ObjectProxy, mapped
from autograder.sandbox.guest.runtime import NAMES
from autograder.sandbox.guests import Guest
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.outcome import WALL_FACTOR, Outcome, Raised
from autograder.sandbox.preload import profile_for
from autograder.sandbox.servers import Sandbox

GUESTS = 3  # the first, and two fresh ones after a death
RETURNED = Outcome("returned")


class Sitting:
    """Plays checks for one submission; lives as long as its transcripts are read."""

    def __init__(
        self,
        submission: Submission,
        checks: tuple[Check, ...],
        answers: Answering,
        sandbox: Sandbox | LocalRunner,
        seeds: Mapping[str, int],
        *,
        torch: bool = False,
    ):
        self.transcripts: dict[str, Transcript] = {}
        self.not_executed: dict[str, Outcome] = {}
        self.seconds: dict[str, float] = {}
        self._output = bytearray()
        self._submission, self._answers, self._sandbox, self._seeds = submission, answers, sandbox, seeds
        self._profile = profile_for(submission.source or b"", torch)
        self._by_id = {check.id: check for check in checks}
        self._guest: Guest | None = None
        self._has_props: Guest | None = None  # the guest that has the props
        self._guests = 0
        self._spent = self._waited = 0.0
        self._patient = True  # what was idle is tried again, once
        self._loaded = self._last = RETURNED
        self._names: dict[str, set[str]] = {}  # what the loaded file says it defines, each with what it uses of the others

    def play(self, checks: tuple[Check, ...]) -> None:
        """Run these checks in order, each on a living guest; afterwards no guest is left."""
        try:
            for check in checks:
                if self.waiting(check):
                    continue
                if self._tried(check).idle and self._patient:
                    self._forgive()
                    self._tried(check)
        finally:
            self._leave()

    def _tried(self, check: Check) -> Outcome:
        """Run a check, and say what cut it short."""
        self.not_executed.pop(check.id, None)
        ready = self._ready()
        if ready.kind != "returned":
            self.not_executed[check.id] = ready
            return ready
        self.transcripts[check.id] = transcript = run(check, self._player, self._answers, self._seeds[check.id])
        self.seconds[check.id] = sum(call.outcome.seconds for call in transcript.calls)
        if self._guest:
            self._guest.forget()
        return transcript.ended or RETURNED

    @property
    def printed(self) -> str:
        """What the guests printed, one after the other, as far as it is kept."""
        return self._output[: self._sandbox.limits.output_kib << 10].decode("utf-8", errors="replace")

    # -- what became of a check

    def passed(self, check: Check) -> bool:
        return check.id in self.transcripts and self.transcripts[check.id].passed

    def failed(self, check: Check) -> bool:
        return not self.passed(check) and not self.waiting(check)

    def leans_on(self, function: str) -> str:
        """Name the first function that this one uses and that gave something wrong in a check of its own; nothing where there is none."""
        wrong = dict.fromkeys(
            check.of for check in self._by_id.values() if check.id in self.transcripts and self.transcripts[check.id].strayed
        )
        uses = self._names.get(function, set())
        return next((one for one in wrong if one in uses and function not in self._names.get(one, ())), "")

    def share(self, check: Check) -> float:
        """Say which part of its points a check earned."""
        return self.transcripts[check.id].share if check.id in self.transcripts else 0.0

    def waiting(self, check: Check) -> Check | None:
        """Give the first check that this one needs and that did not pass."""
        return next((self._by_id[need] for need in check.needs if not self.passed(self._by_id[need])), None)

    def executed(self, check: Check) -> bool:
        return check.id in self.transcripts or check.id in self.not_executed

    def reason(self, check: Check) -> Reason:
        """Give the contract's reason of a check that failed."""
        return explain.reason(self.transcripts.get(check.id) or Transcript(ended=self.not_executed[check.id]))

    def words(self, check: Check, *, numbers: bool) -> str:
        """Say what went wrong in a check that failed; without `numbers`, only what a student may know of a secret run."""
        if check.id in self.transcripts:
            return explain.failure(check, self.transcripts[check.id], self._answers.function, numbers=numbers)
        not_executed = self.not_executed[check.id]
        told = numbers or not_executed is self._loaded  # a file that is only loaded has met no number yet
        return f"`{self._submission.name}` {explain.ending(not_executed, numbers=told)}"

    # -- guests

    def _ready(self) -> Outcome:
        """Have a living guest with the submission loaded, or say why there is none."""
        if over := self._over():
            return over
        if self._guest and self._guest.alive:
            return RETURNED
        if self._guests == GUESTS:
            again = f"its process was lost {GUESTS} times, so it is not run again"
            return self._last if self._last is self._loaded else Outcome(self._last.kind, detail=again)
        self._leave()
        return self._open()

    def _forgive(self) -> None:
        """Let the next check have a fresh guest that is not counted, and a fresh clock on the wall."""
        self._leave()
        self._patient, self._waited, self._guests = False, 0.0, self._guests - 1

    def _over(self) -> Outcome | None:
        """Say so when all checks together have taken too long: in CPU time, or ten times as much in waiting."""
        limit = self._sandbox.limits.submission_seconds
        spent = self._spent + (self._guest.cpu_seconds if self._guest and self._guest.alive else 0.0)
        if spent > limit:
            return Outcome("timed_out", detail=f"all checks together may take {limit:g} s of computing")
        if self._waited + (self._guest.waited if self._guest else 0.0) > limit * WALL_FACTOR:
            return Outcome("timed_out", detail=f"all checks together may take {limit * WALL_FACTOR:g} s", idle=True)
        return None

    def _open(self) -> Outcome:
        source, notebook = self._submission.source or b"", self._submission.name.endswith(".ipynb")
        self._guests += 1
        self._guest = self._sandbox.open(self._profile)
        self._loaded = self._guest.load(self._submission.exercise, source, notebook=notebook)
        claimed = self._loaded.value if isinstance(self._loaded.value, dict) else {}
        known = [(name, used) for name, used in list(claimed.items())[:NAMES] if isinstance(name, str)]
        self._names = {
            name[:100]: {one for one in used if isinstance(one, str)} if isinstance(used, list) else set() for name, used in known
        }
        if self._loaded.kind == "returned" or (notebook and self._loaded.kind == "raised" and self._loaded.value):
            return RETURNED  # a notebook goes on after a cell that fails
        self._leave()
        self._last, self._guests = self._loaded, GUESTS  # a file that does not load will not load again
        return self._loaded

    def _leave(self) -> None:
        if self._guest:
            self._guest.close()
            self._spent += self._guest.ended.cpu_seconds if self._guest.ended else 0.0
            self._waited += self._guest.waited
            self._output += self._guest.output
        self._guest = None

    # -- calls

    def _player(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], questions: list[Asked]) -> Outcome:
        assert self._guest is not None
        if over := self._over():
            return over
        if name.startswith("props."):
            self._bring_props()
        elif name[0] != "@" and name not in self._names and len(self._names) < NAMES:
            return self._missing(name)
        self._guest.on_ask = lambda callback, a, k: questions.append(Asked(callback.__name__, tuple(a), k))
        target, sent = _target(self._submission.exercise, name, mapped(args, _held))
        outcome = self._guest.call(target, sent, mapped(kwargs, _held))
        if not self._guest.alive:
            self._last = outcome
        return msgspec.structs.replace(outcome, changed=self._argument_names(name, outcome.changed)) if outcome.changed else outcome

    def _bring_props(self) -> None:
        """Load the lesson's props into this guest, once."""
        assert self._guest is not None
        if self._has_props is not self._guest and self._answers.props:
            self._has_props = self._guest
            self._guest.load("props", self._answers.props.read_bytes())

    def _missing(self, name: str) -> Outcome:
        near = difflib.get_close_matches(name, self._names, 1, 0.5)
        words = f"there is no function `{name}` in {self._submission.name}" + (f", but there is `{near[0]}`" if near else "")
        if self._loaded.raised:
            words += f"; {', '.join(self._loaded.raised.where)} raised {self._loaded.raised.kind}"
        return Outcome("raised", raised=Raised("NameError", words))

    def _argument_names(self, function: str, changed: tuple[str, ...]) -> tuple[str, ...]:
        """Name the arguments that a guest reports by position."""
        if function.startswith("@"):
            return tuple("argument" for _ in changed)
        names = dict(enumerate(inspect.signature(self._answers.function(function)).parameters))
        return tuple(names.get(int(one), one) if one.isdecimal() else one for one in changed)


def _held(item: Any) -> Any:
    return item.held if isinstance(item, ObjectProxy) else item


def _target(module: str, name: str, args: tuple[Any, ...]) -> tuple[tuple[str | int, ...], tuple[Any, ...]]:
    """Give what the wire calls a function, one of the props, or something of an object, and the arguments that are left."""
    if name.startswith("props."):
        return ("props", name.removeprefix("props.")), args
    if not name.startswith("@"):
        return (module, name), args
    what = () if name == "@call" else (name.removeprefix("@method "),)
    return (args[0].number, *what), args[1:]
