"""One submission against the checks, with one set of numbers: guests come and go, transcripts stay.

A guest that died is replaced for the next check, at most twice, and all guests share one budget of CPU time. If only the wall
clock stopped something, this machine may have been too busy: that is tried again, once in a run. If the guessed preload profile lacks
something, a fuller one takes its place. What became of each check is found here; what it is worth is decided in `attempt`.
"""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from msgspec.structs import replace

from autograder.course.model import Check, Failure, Submission
from autograder.course.text import clean_output, decode
from autograder.grading import bounds, feedback
from autograder.grading.checks import Asked, StudentFunction, Transcript, run
from autograder.grading.reference import ObjectProxy, Oracle, mapped
from autograder.sandbox.deadline import WALL_FACTOR
from autograder.sandbox.guest.frameworks import NUMPY
from autograder.sandbox.guest.protocol import NotData
from autograder.sandbox.guest.source import NAMES
from autograder.sandbox.guests import Defined, Guest, Handle, Outcome, Raised, defined
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.preload import fullest, profile_for
from autograder.sandbox.servers import Sandbox

GUESTS = 3  # the first, and two fresh ones after a death
RECEIVED_BYTES = 128 << 20  # of memory, for all that a submission returns and asks
STAND_IN = b"""
import sys

def play(module, name, args, kwargs, function, reference):
    own = vars(sys.modules[module])
    kept, own[function] = own[function], reference
    try:
        return own[name](*args, **kwargs)
    finally:
        own[function] = kept
"""
RETURNED = Outcome("returned")
TOO_LARGE = Outcome("refused", detail=f"what it returned or asked takes more than {bounds.MEMORY_BYTES >> 20} MiB to look at")
TOO_SLOW = Outcome("refused", detail=f"what it returned or asked takes more than {bounds.SECONDS:g} s to look at")
TOO_MUCH = Outcome("refused", detail=f"all that it returned and asked takes more than {RECEIVED_BYTES >> 20} MiB")


class SubmissionRun:
    """Runs checks on one submission; keeps their transcripts, by the check's id. `seeds` are by the check's id, too."""

    def __init__(
        self,
        submission: Submission,
        checks: tuple[Check, ...],
        answers: Oracle,
        sandbox: Sandbox | LocalRunner,
        seeds: Mapping[str, int],
        imports: tuple[str, ...] = (),
        profile: str = "",
    ):
        self.transcripts: dict[str, Transcript] = {}
        self._not_executed: dict[str, Outcome] = {}
        self.seconds: dict[str, float] = {}
        self.seeds, self._output = seeds, bytearray()
        self.printed_in_calls = False  # and so, perhaps, numbers that it was given
        self.submission, self._answers, self._sandbox = submission, answers, sandbox
        self.profile = profile or profile_for(self.source, imports)
        self._fullest = fullest(sandbox.limits.packages)
        self.lacked: tuple[str, ...] = ()  # the modules for which a fuller profile was taken
        self.checks, self._by_id = checks, {check.id: check for check in checks}
        self._guest: Guest | None = None
        self._beside: dict[str, Guest] = {}  # the guest that has the props, and the one that has the stand-in
        self._replaced = ""  # the student's function in whose place the reference's stands
        self._lost = self._at_load = 0
        self._spent = self._waited = self._slept = self._own_seconds = 0.0
        self._received = 0
        self._patient = True  # whether an idle check may still be tried again
        self._loaded = self._last = RETURNED
        self._defined: dict[str, Defined] = {}  # what the loaded file says that it defines
        self._parameters = cache(lambda name: tuple(inspect.signature(answers.function(name)).parameters))

    @contextmanager
    def executed(self, checks: Iterable[Check]) -> Iterator[None]:
        """Run these checks in order, each on a living guest, which lives on for this block; afterwards no guest is left."""
        try:
            for check in checks:
                if not self.waits_for(check):
                    self._execute_patiently(check)
            yield
        finally:
            self._leave()

    def _execute_patiently(self, check: Check) -> None:
        """Run a check, and try again where it was not the submission's fault that it ended."""
        ended = self._execute(check)
        while ended.lacks and self.profile != self._fullest:
            self._preload_more(ended.lacks)
            ended = self._execute(check)
        if ended.idle and self._patient:
            self._leave()  # this guest does not count as lost, and the wall clock starts again
            self._patient, self._waited = False, 0.0
            self._execute(check)

    def _preload_more(self, module: str) -> None:
        """Take a profile that has the module. The guess was ours, so the guest that met its limits does not count as lost."""
        guess = profile_for(self.source, (module,))
        self.profile = guess if module in guess.split() and self.profile == NUMPY else self._fullest
        self.lacked += (module,)
        self._leave()

    def _execute(self, check: Check) -> Outcome:
        """Run a check, and return what cut it short."""
        self._not_executed.pop(check.id, None)
        if (ready := self._ready()).kind != "returned":
            self._not_executed[check.id] = ready
            return ready
        self.transcripts[check.id] = transcript = self._run(check, self.seeds[check.id])
        self.seconds[check.id] = sum(call.outcome.seconds for call in transcript.calls)
        if self._guest:
            self._guest.forget()
        return transcript.ended or RETURNED

    def _run(self, check: Check, seed: int) -> Transcript:
        """Run a check within the bounds of what we may use for it; what passes them is refused."""
        began = time.thread_time()
        try:
            with bounds.bounded(bounds.MEMORY_BYTES, bounds.SECONDS - self._own_seconds):
                return run(check, self._call, self._answers, seed)
        except bounds.OutOfMemory:
            self._last = TOO_LARGE
        except bounds.OutOfTime:
            self._last = TOO_SLOW
            self._leave()
            self._sandbox.close()  # a server may have been asked something and not heard out
        finally:
            self._own_seconds += time.thread_time() - began
        return Transcript(ended=self._last)

    @property
    def source(self) -> bytes:
        return self.submission.source or b""

    @property
    def printed(self) -> str:
        """What the guests printed, one after the other, up to the limit."""
        return clean_output(bytes(self._output), self._sandbox.limits.output_kib << 10)

    # -- what became of a check

    def passed(self, check: Check) -> bool:
        return check.id in self.transcripts and self.transcripts[check.id].passed

    def failed(self, check: Check) -> bool:
        return not self.passed(check) and not self.waits_for(check)

    def tried(self, check: Check) -> bool:
        return check.id in self.transcripts or check.id in self._not_executed

    def waits_for(self, check: Check) -> Check | None:
        """Return the first check that this one needs and that was tried, or waits itself, and did not pass."""
        failed = (self._by_id[need] for need in check.needs if not self.passed(self._by_id[need]))
        return next((one for one in failed if self.tried(one) or self.waits_for(one)), None)

    def worth_a_rerun(self, check: Check) -> bool:
        """Whether other numbers may say more about a failed check: it compared something, or the student's code ended in time."""
        known = self.transcripts.get(check.id)
        return known is not None and (known.ended is None or known.ended.kind in ("raised", "refused", "killed"))

    def transcript(self, check: Check) -> Transcript:
        """Return what happened in a check that was tried."""
        return self.transcripts.get(check.id) or Transcript(ended=self._not_executed[check.id])

    def failure(self, check: Check, *, numbers: bool) -> Failure:
        """Return what went wrong in a failed check; without `numbers`, only what a student may know of a secret run."""
        if check.id in self.transcripts:
            return feedback.failure(check, self.transcripts[check.id], self._answers.function, numbers=numbers)
        ended = self._not_executed[check.id]  # a file that is only loaded has met no number yet
        return feedback.ending(ended, numbers=numbers or ended is self._loaded, file=self.submission.name)

    def wrong_function_used_by(self, function: str) -> str:
        """Name the first function that this one uses and that failed a check of its own; an empty text if there is none."""
        wrong = (self._by_id[name].of for name in self._by_id if name in self.transcripts and self.transcripts[name].strayed)
        uses = {name: one.uses for name, one in self._defined.items()}
        return next((one for one in wrong if one in uses.get(function, ()) and function not in uses.get(one, ())), "")

    def again(self, checks: list[Check], wrong: str = "") -> list[Transcript]:
        """Run checks again in one guest, perhaps with the reference's answers in place of a `wrong` function's, and leave no trace.

        The answers enter the guest, so nothing that comes of this may count, and the numbers may not be secret.
        """
        self._replaced, printed = wrong, len(self._output)
        try:
            return [self._run(check, self.seeds[check.id]) for check in checks if self._ready().kind == "returned"]
        finally:
            self._leave()
            self._replaced = ""
            del self._output[printed:]

    def with_seed(self, check: Check, seed: int) -> Transcript:
        """Run a check with other numbers on the guest that lives. It may know those of this run, so nothing of it may be shown."""
        ready = self._ready()
        return self._run(check, seed) if ready.kind == "returned" else Transcript(ended=ready)

    # -- guests

    def _ready(self) -> Outcome:
        """Make sure that a living guest has the submission loaded; return why not, if it cannot be."""
        if over := self._over():
            return over
        if self._guest and self._guest.alive:
            return RETURNED
        self._lost += self._guest is not None
        if self._lost >= GUESTS:
            lost = f"its process was lost {GUESTS} times, so it is not run again"
            return self._last if self._last is self._loaded else Outcome(self._last.kind, detail=lost)
        self._leave()
        return self._open()

    def _over(self) -> Outcome | None:
        """Return an outcome if all checks together have taken too much: of CPU time, sleep, waiting, or from this process."""
        if self._own_seconds > bounds.SECONDS:
            return TOO_SLOW
        if self._received + (self._guest.received if self._guest else 0) > RECEIVED_BYTES:
            return TOO_MUCH
        limit = self._sandbox.limits.submission_seconds
        spent = self._spent + (self._guest.cpu_seconds if self._guest and self._guest.alive else 0.0)
        if spent > limit:
            return Outcome("timed_out", detail=f"all checks together may take {limit:g} s of computing")
        if self._slept + (self._guest.slept if self._guest else 0.0) > limit:
            return Outcome("timed_out", detail=f"all checks together may sleep for {limit:g} s")
        if self._waited + (self._guest.waited if self._guest else 0.0) > limit * WALL_FACTOR:
            return Outcome("timed_out", detail=f"all checks together may take {limit * WALL_FACTOR:g} s", idle=True)
        return None

    def _open(self) -> Outcome:
        self._guest = self._sandbox.open(self.profile)
        self._loaded = self._load(self._guest)
        self._at_load = self._guest.printed
        self._defined = defined(self._loaded)
        if self._loaded.kind == "returned" or self._defined:
            return RETURNED  # a file goes on after a statement that fails
        self._leave()
        if not self._loaded.lacks:
            self._last, self._lost = self._loaded, GUESTS  # a file that does not load will not load again
        return self._loaded

    def _load(self, guest: Guest) -> Outcome:
        try:
            code = decode(self.source)
        except ValueError as error:
            return Outcome("refused", detail=f"it is {error}")
        self._output += b"" if self._output else code.note.encode()
        try:
            return guest.load(self.submission.exercise, code.text.encode(), notebook=self.submission.name.endswith(".ipynb"))
        except NotData as error:
            return Outcome("refused", detail=f"it is {error}")

    def _leave(self) -> None:
        if self._guest:
            self._guest.close()
            self._spent += self._guest.ended.cpu_seconds if self._guest.ended else 0.0
            self._waited += self._guest.waited
            self._slept += self._guest.slept
            self._received += self._guest.received
            self._output += self._guest.output
            self.printed_in_calls |= self._guest.printed > self._at_load
        self._guest = None

    # -- calls

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], questions: list[Asked]) -> Outcome:
        assert self._guest is not None
        if over := self._over():
            return over
        if name.startswith("props."):
            if self._answers.props and (lost := self._bring("props", self._answers.props.read_bytes())):
                return lost
        elif name[0] != "@" and name not in self._defined and len(self._defined) < NAMES:
            words = feedback.missing_function(name, self._defined, self.submission.name) + self._loading_failed()
            return Outcome("raised", raised=Raised("NameError", words), missing=True)
        reference = partial(self._answer, self._replaced)

        def note(asked: Callable[..., Any], given: list[Any], named: dict[str, Any]) -> None:
            if asked is not reference:
                questions.append(Asked(asked.__name__, tuple(given), named))

        self._guest.on_ask = note
        if (own := self._defined.get(name)) and (by_name := own.named(self._parameters(name), args)):
            args, kwargs = (), by_name | kwargs
            told = f"The parameters of `{name}` are in another order than the starter's, so it was called with their names.\n".encode()
            self._output += told if told not in self._output else b""
        held = partial(_held, self.submission.exercise)
        target, sent = _target(self.submission.exercise, name, mapped(args, held))
        named = mapped(kwargs, held)
        if self._replaced and target[0] == self.submission.exercise:
            if lost := self._bring("stand_in", STAND_IN):
                return lost
            target, sent, named = ("stand_in", "play"), (*target, list(sent), named, self._replaced, reference), {}
        outcome = self._guest.call(target, sent, named)
        if not self._guest.alive:
            self._last = outcome
        if outcome.raised and outcome.raised.kind == "NameError":  # perhaps of something that a statement should have defined
            outcome = replace(outcome, raised=replace(outcome.raised, message=outcome.raised.message + self._loading_failed()))
        return replace(outcome, changed=self._argument_names(name, outcome.changed)) if outcome.changed else outcome

    def _answer(self, function: str, *args: Any, **kwargs: Any) -> Any:
        return self._answers.value(function, args, kwargs)

    def _bring(self, module: str, source: bytes) -> Outcome | None:
        """Make sure that the guest has a module of ours, too; return why not, if it cannot be."""
        assert self._guest is not None
        if self._beside.get(module) is self._guest:
            return None
        self._beside[module] = self._guest
        loaded = self._guest.load(module, source)
        return loaded if loaded.kind != "returned" else None

    def _loading_failed(self) -> str:
        """Say which statement failed while the file was loaded; an empty text if none did."""
        raised = self._loaded.raised
        return f"; {', '.join(raised.where)} raised {raised.kind}" + f": {raised.message}" * bool(raised.message) if raised else ""

    def _argument_names(self, function: str, changed: tuple[str, ...]) -> tuple[str, ...]:
        """Name the arguments that a guest reports by position."""
        if function.startswith("@"):
            return ("argument",) * len(changed)
        names = dict(enumerate(inspect.signature(self._answers.function(function)).parameters))
        return tuple(names.get(int(one), one) if one.isdecimal() else one for one in changed)


def _held(module: str, item: Any) -> Any:
    """Return what stands for an object of the guest, or for a function of the loaded module."""
    if isinstance(item, StudentFunction):
        return Handle(0, f"{module}.{item.__name__}")
    return item.held if isinstance(item, ObjectProxy) else item


def _target(module: str, name: str, args: tuple[Any, ...]) -> tuple[tuple[str | int, ...], tuple[Any, ...]]:
    """Return the protocol's name of a function, of one of the props or of a method, and the arguments that are left."""
    if name.startswith("props."):
        return ("props", name.removeprefix("props.")), args
    if not name.startswith("@"):
        return (module, name), args
    what = () if name == "@call" else (name.removeprefix("@method "),)
    return (args[0].number, *what), args[1:]
