"""What a release records of an exercise, and its replay where there are no solutions.

Values are JSON. What JSON lacks is a mapping with one key that names its kind:

{"array": ["<f8", [4, 2], BASE64]}   and "scalar" for one number of numpy's, a framework's name for its tensor
{"tuple": [...]}   {"dict": [[KEY, VALUE], ...]}   {"float": "nan"}   {"object": "ConditionedBlock 1"}
"""

import base64
import gzip
import hashlib
import math
from collections.abc import Callable, Mapping
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from autograder.course.errors import CourseError, Finding
from autograder.course.model import Check, Exercise, Misconception
from autograder.grading.checks import Transcript
from autograder.grading.coefficients import Formula, Linear, Quantities
from autograder.grading.reference import Answered, Answering, ObjectProxy, fuzzy_key, load_module
from autograder.grading.reruns import Evidence
from autograder.grading.rewrites import Rewrite
from autograder.grading.sketch import Sketch
from autograder.sandbox.guest.frameworks import FRAMEWORKS, framework_of

T = TypeVar("T")


def pack(value: Any) -> Any:
    """Turn a value into JSON's types. Raise `TypeError` for an object that is not data."""
    if value is None or isinstance(value, bool | str) or (isinstance(value, int) and type(value) is int):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return {"array" if isinstance(value, np.ndarray) else "scalar": _array(np.asarray(value))}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if framework := framework_of(value):
        return {framework.name: _array(framework.to_numpy(value))}
    if isinstance(value, list | tuple):
        items = [pack(item) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if isinstance(value, ObjectProxy):
        return {"object": repr(value)}
    raise TypeError(f"a {type(value).__name__} cannot be recorded")


def unpack(packed: Any) -> Any:
    """Return the value that was packed."""
    if isinstance(packed, list):
        return [unpack(item) for item in packed]
    if not isinstance(packed, dict):
        return packed
    ((kind, inside),) = packed.items()
    if kind in ("array", "scalar", *FRAMEWORKS):
        dtype, shape, text = inside
        array = np.frombuffer(base64.b64decode(text), np.dtype(dtype)).reshape(shape).copy()
        return array if kind == "array" else array[()] if kind == "scalar" else FRAMEWORKS[kind].from_numpy(array)
    if kind == "dict":
        return {unpack(key): unpack(item) for key, item in inside}
    if kind == "object":
        return ObjectProxy(None, "", inside, None)
    return tuple(unpack(item) for item in inside) if kind == "tuple" else float(inside)


def _array(array: np.ndarray[Any, Any]) -> list[Any]:
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]


def write_gz(path: Path, recordings: Any) -> None:
    """Write recordings as compressed JSON; the same recordings give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(msgspec.json.encode(recordings), mtime=0))


def read_gz(path: Path, kind: type[T]) -> T:
    """Read recordings as `kind`."""
    return msgspec.json.decode(gzip.decompress(path.read_bytes()), type=kind)


FORMAT = 5


class RecordedMisconception(msgspec.Struct, frozen=True):
    """A misconception without its function."""

    id: str
    of: str
    sentence: str
    section: str
    card: str

    def with_function(self, function: Callable[..., Any]) -> Misconception:
        return Misconception(self.id, self.of, self.sentence, self.section, self.card, function)


class Known(msgspec.Struct, frozen=True):
    """One call of a run with the reference or a misconception in the student's place; `given` is the fuzzy key of its arguments.

    Its value is in short: a sketch's form, and its entries as in `RecordedRewrites`.
    """

    of: str
    given: str
    kind: str
    form: str
    entries: str


class Recorded(msgspec.Struct, frozen=True):
    """What the reference answers to one call, and how far from it a right answer may be."""

    value: msgspec.Raw
    atol: float
    rtol: float


Told = tuple[str, str, int, tuple[tuple[str, str], ...]]


class RecordedRewrites(msgspec.Struct, frozen=True):
    """What the rewrites of a function give, in short.

    told: the words, the part and the rank of each, and the words and parts of what else it is as if. calls: what each call of each shows,
    by check: a number, that of a different sketch in `forms` and `entries`; −1 if it gave what the reference gives.
    """

    told: list[Told] = []
    calls: dict[str, list[list[int]]] = {}
    forms: list[str] = []
    entries: list[str] = []  # float32, in base64


class Recordings(msgspec.Struct, frozen=True):
    """Everything that a release knows about one exercise.

    parameters: those of each function, by its name. answers: by function, then by fuzzy key. runs: the calls in order, by check, then by
    misconception ("" is the reference). formulas: of the reference's calls about a check's function, in order, by check. linear, letters:
    see `coefficients.Quantities`. rewrites: by function. checks: the hash of the files that were recorded.
    """

    exercise: str
    checks: str
    parameters: dict[str, list[str]]
    answers: dict[str, dict[str, Recorded]]
    misconceptions: list[RecordedMisconception]
    runs: dict[str, dict[str, list[Known]]]
    formulas: dict[str, list[list[Formula | None]]]
    linear: dict[str, Linear]
    letters: dict[str, str]
    rewrites: dict[str, RecordedRewrites]
    format: int = FORMAT


def fingerprint(exercise: Exercise) -> str:
    """Hash the checks and the props of an exercise."""
    props = exercise.starter.parent / "props.py"
    text = exercise.checks.read_bytes() + (props.read_bytes() if props.is_file() else b"")
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()


def read_recordings(exercise: Exercise) -> Recordings:
    """Read an exercise's recordings. Raise `CourseError` if they are damaged, or belong to other checks."""
    try:
        recordings = read_gz(exercise.recordings, Recordings)
        if recordings.format == FORMAT and recordings.checks == fingerprint(exercise):
            return recordings
        problem = f"these recordings belong to another checks/{exercise.checks.name} or props.py"
        if recordings.format != FORMAT:
            problem = f"these recordings are of format {recordings.format}, and {FORMAT} is read here"
    except (OSError, EOFError, ValueError) as error:
        problem = f"these recordings cannot be read: {error}"
    raise CourseError([Finding(exercise.recordings, None, problem, "download the release again, or rebuild it")])


class ReplayedAnswers:
    """Stands in for `reference.Answers`: returns what was recorded, and computes nothing."""

    def __init__(self, recordings: Recordings, path: Path, props: Path):
        self.props = props if props.is_file() else None
        self._recordings, self._path = recordings, path
        self._known: dict[tuple[str, str], Answered] = {}

    @cached_property
    def _props(self) -> Any:
        return load_module(self.props) if self.props else None

    def function(self, name: str) -> Callable[..., Any]:
        """Return a stand-in with the signature of a function, which cannot be called. Raise `AttributeError` for an unknown name."""
        if name.startswith("props."):
            return getattr(self._props, name.removeprefix("props."))  # type: ignore[no-any-return]
        if name not in self._recordings.parameters:
            raise AttributeError(name)
        return _signed(name, self._recordings.parameters[name])

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        """Return what the reference answered to this call. Raise `CourseError` if it was not asked when the release was built."""
        try:
            return self.recorded(name, fuzzy_key((args, kwargs)).hex())
        except KeyError:
            problem = f"no answer of `{name}` to these numbers was recorded: a student release knows the published numbers only"
            raise CourseError([Finding(self._path, None, problem, "grade in a clone of the course, with its solutions")]) from None

    def recorded(self, name: str, given: str) -> Answered:
        """Return what the reference answered to the call with this fuzzy key. Raise `KeyError` if it was not asked."""
        if (name, given) not in self._known:
            recorded = self._recordings.answers[name][given]
            self._known[name, given] = Answered(unpack(msgspec.json.decode(recorded.value)), recorded.atol, recorded.rtol)
        return self._known[name, given]

    def value(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the reference answered to this call."""
        return self.answer(name, args, kwargs).value


def _signed(name: str, parameters: list[str]) -> Callable[..., Any]:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"`{name}` is recorded: there is no code of it in a student release")

    unknown.__dict__["__signature__"] = Signature([Parameter(one, Parameter.POSITIONAL_OR_KEYWORD) for one in parameters])
    return unknown


def recorded_solution(exercise: Exercise) -> Path:
    """Return where a release holds an exercise's solution, as text, if the course's author lets students see it."""
    return exercise.recordings.with_name(f"{exercise.id}.solution.txt")


def misconceptions_of(recordings: Recordings) -> tuple[Misconception, ...]:
    """Return the misconceptions, each with a function that cannot be called."""
    return tuple(one.with_function(_signed(one.id, recordings.parameters.get(one.of, []))) for one in recordings.misconceptions)


class Replay:
    """The reruns that were recorded of an exercise's checks. Whatever the seed is, they are those with the published numbers."""

    def __init__(self, recordings: Recordings, checks: tuple[Check, ...], answers: Answering):
        self.checks, self.answers = checks, answers
        self.quantities = Quantities(recordings.linear, recordings.letters)
        self._recordings = recordings
        self._read: dict[tuple[str, str, str], list[Evidence]] = {}

    def rerun(self, check: Check, seed: int, wrong: Misconception | Rewrite | None) -> Transcript:
        """Return an empty transcript: there is nothing to run."""
        return Transcript()

    def calls(self, check: Check, seed: int, misconception: Misconception | None, of: str) -> list[Evidence]:
        """Return the calls about `of` in a check, as a misconception (or with None the reference) made them."""
        key = check.id, misconception.id if misconception else "", of
        if key not in self._read:
            calls = [call for call in self._recordings.runs.get(check.id, {}).get(key[1], []) if call.of == of]
            self._read[key] = [Evidence(bytes.fromhex(call.given), call.kind, _read(call.form, call.entries)) for call in calls]
        return self._read[key]

    def formulas(self, check: Check, seed: int, of: str) -> list[list[Formula | None]]:
        """Return the formulas of the reference's calls about `of` in a check."""
        return self._recordings.formulas.get(check.id, []) if of == check.of else []

    def candidates(self, of: str) -> list[Rewrite]:
        """Return the rewrites of a function."""
        return [Rewrite(of, *told) for told in self._recordings.rewrites.get(of, RecordedRewrites()).told]

    def tried_in(self, of: str, seeds: Mapping[str, int]) -> list[Check]:
        """List the checks that the rewrites of a function were tried in."""
        known = self._recordings.rewrites.get(of, RecordedRewrites())
        return [check for check in self.checks if check.of == of and check.id in known.calls]

    def rewritten(self, check: Check, seed: int, number: int) -> list[Evidence]:
        """Return what the calls about a check's function show with a rewrite."""
        known = self._recordings.rewrites.get(check.of, RecordedRewrites())
        shown = zip(self.calls(check, seed, None, check.of), known.calls[check.id][number], strict=False)
        return [one if at == AS_RIGHT else replace(one, value=_read(known.forms[at], known.entries[at])) for one, at in shown]


AS_RIGHT = -1


def in_text(one: Sketch) -> str:
    """Write the entries of a sketch as text."""
    return base64.b64encode(np.array([one.size, *one.entries], np.float32).tobytes()).decode()


def _read(form: str, entries: str) -> Sketch:
    size, *others = map(float, np.frombuffer(base64.b64decode(entries), np.float32))
    return Sketch(form, size, tuple(others))


def record_rewrites(told: list[Told], right: dict[str, list[Evidence]], shown: dict[str, list[list[Evidence]]]) -> RecordedRewrites:
    """Pack what rewrites give, by check. Those that nowhere differ from the reference are left out, and those that give nothing or what a
    simpler one gives."""
    sketches: dict[Sketch, int] = {}

    def packed(one: Evidence, due: Evidence) -> int:
        return AS_RIGHT if one.value == due.value else sketches.setdefault(one.value, len(sketches))

    calls = {name: [[packed(*pair) for pair in zip(own, right[name], strict=False)] for own in several] for name, several in shown.items()}
    values = [tuple(tuple(several[i]) for several in calls.values()) for i in range(len(told))]
    simplest: dict[Any, int] = {}
    for value, (_, _, rank, _) in zip(values, told, strict=True):
        simplest[value] = min(rank, simplest.get(value, rank))
    kept = [i for i, own in enumerate(values) if simplest[own] == told[i][2] and all(own) and any(at >= 0 for ats in own for at in ats)]
    return RecordedRewrites(
        [told[i] for i in kept],
        {name: [several[i] for i in kept] for name, several in calls.items()},
        [one.form for one in sketches],
        [*map(in_text, sketches)],
    )
