"""The reference's answers as values: computed once, remembered by function and arguments, each with its tolerance.

All students of a round get the same numbers, so the reference answers each question once a round. This module copies, casts and hashes
values; it does not compare them, and does not know what a check is.
"""

import hashlib
import importlib.util
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import msgspec
import numpy as np

from autograder.course.errors import CourseError, UsageError, raised_in
from autograder.course.loading import package_name
from autograder.sandbox.guest.frameworks import absent, framework_of, installing, part_of

FLOOR = 1e-6
FLOAT32_ERRORS = 20
FLOAT32_RELATIVE = 1e-5


class Answered(msgspec.Struct, frozen=True):
    """A reference value, how far from it a right answer may be (`atol` + `rtol` times its size), and the `call` that it answers."""

    value: Any
    atol: float
    rtol: float
    call: tuple[str, tuple[Any, ...], dict[str, Any]] = "", (), {}


class Answering(Protocol):
    """What answers for the reference: the functions of the answer file, or what a release recorded of them."""

    @property
    def props(self) -> Path | None: ...

    def function(self, name: str) -> Callable[..., Any]: ...

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered: ...


class Oracle(Answering, Protocol):
    """What answers a submission, too, which may ask for anything."""

    def value(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...


class Answers:
    """The functions of an answer file, called on copies of the arguments. `props` is the file that guests may import too."""

    def __init__(self, module: types.ModuleType, props: Path | None = None):
        self.module, self.props = module, props
        self._props: types.ModuleType | None = None
        self._known: dict[bytes, Answered] = {}

    def function(self, name: str) -> Callable[..., Any]:
        """Find a function by name, those of the props as "props.NAME". Raise `AttributeError` if there is none."""
        module = self.module
        if name.startswith("props.") and self.props:
            module = self._props = self._props or load_module(self.props)
        found = getattr(module, name.removeprefix("props."))
        assert callable(found)
        return found  # type: ignore[no-any-return]

    @property
    def known(self) -> int:
        """How many different calls were answered so far."""
        return len(self._known)

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        """Return what the reference answers to this call."""
        key = digest((name, args, kwargs))
        if key not in self._known:
            self._known[key] = self._compute(name, args, kwargs)
        return self._known[key]

    def value(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the reference returns for arguments of a student's. Nothing of them is kept: there is no end of them."""
        return self.function(name)(*copied(args), **copied(kwargs))

    def _compute(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        function, value = self.function(name), self.value(name, args, kwargs)
        rtol = rtol_for((args, kwargs))
        other = cast((args, kwargs), np.float64 if rtol else np.float32)
        error = float32_error(value, lambda: function(*other[0], **other[1]))
        return Answered(value, max(FLOOR, FLOAT32_ERRORS * error), rtol, (name, *copied((args, kwargs))))


def load_module(path: Path) -> types.ModuleType:
    """Run a Python file of the course (never of a student) as a module.

    Raise `CourseError` if that is impossible, and `UsageError` if only a framework is missing.
    """
    name = "course_" + "_".join(path.with_suffix("").parts[-3:])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (CourseError, UsageError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if missing := absent(error.name or "") if isinstance(error, ModuleNotFoundError) else ():
            problem = f"{path}: it needs {missing[0]}, which is not installed"
            raise UsageError(problem, f"add it: `{installing(missing, package_name())}`") from None
        raise CourseError([raised_in(path, error, "this file cannot be imported")]) from error
    return module


# ---- values


def mapped(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Rebuild lists, tuples, dicts and objects of functions with `leaf` applied to everything else."""
    if isinstance(value, list | tuple):
        return type(value)(mapped(item, leaf) for item in value)
    if isinstance(value, dict):
        return {key: mapped(item, leaf) for key, item in value.items()}
    if isinstance(value, SimpleNamespace):
        return SimpleNamespace(**mapped(vars(value), leaf))
    return leaf(value)


def copied(value: Any) -> Any:
    """Copy the arrays and tensors in a value."""

    def leaf(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return item.copy()
        framework = framework_of(item)
        return framework.copy(item) if framework else item

    return mapped(value, leaf)


def cast(value: Any, dtype: type[np.floating[Any]]) -> Any:
    """Turn every float, array of floats and tensor of floats into `dtype`."""

    def leaf(item: Any) -> Any:
        if framework := framework_of(item):
            return framework.cast(item, dtype.__name__)
        if isinstance(item, np.ndarray):
            return item.astype(dtype) if item.dtype.kind == "f" else item.copy()
        return dtype(item) if isinstance(item, float) else item

    return mapped(value, leaf)


def leaves(value: Any) -> Iterator[Any]:
    """Yield everything in lists, tuples, dicts and objects of functions, however deeply nested."""
    value = vars(value) if isinstance(value, SimpleNamespace) else value
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def callback_of(arguments: Any, name: str) -> Callable[..., Any]:
    """Return the callback of this name among the arguments of a call."""
    return next(item for item in leaves(arguments) if getattr(item, "__name__", "") == name)  # type: ignore[no-any-return]


def rtol_for(arguments: Any) -> float:
    """Return the relative tolerance of a call: above 0 if any array or tensor in its arguments is float32."""
    return FLOAT32_RELATIVE if any(str(getattr(item, "dtype", "")).endswith("float32") for item in leaves(arguments)) else 0.0


def as_array(value: Any) -> Any:
    """Turn a tensor into an array; return every other value as it is."""
    framework = framework_of(value)
    return framework.to_numpy(value) if framework else value


def as_arrays(value: Any) -> Any:
    """Turn the tensors in a value into arrays."""
    return mapped(value, as_array)


def float32_error(value: Any, compute: Callable[[], Any]) -> float:
    """Return the largest difference between `value` and the same computed in the other precision, among finite numbers."""
    with np.errstate(all="ignore"):
        pairs = zip(numbers(value), numbers(compute()), strict=True)
        differences = [np.abs(a - b)[np.isfinite(a) & np.isfinite(b)] for a, b in pairs if a.shape == b.shape]
    return max((float(d.max()) for d in differences if d.size), default=0.0)


def numbers(value: Any) -> list[np.ndarray[Any, Any]]:
    """List the arrays of numbers in a value, as float64."""
    return [
        np.asarray(leaf, np.float64) for leaf in map(as_array, leaves(value)) if isinstance(leaf, int | float | np.ndarray | np.generic)
    ]


def digest(value: Any) -> bytes:
    """Hash a value so that equal values, and only they, have equal hashes. Functions count by code and what they close over."""
    try:
        spelled = msgspec.msgpack.encode(value, enc_hook=_spelled, order="deterministic")
    except TypeError:  # a dict whose keys are not texts
        spelled = msgspec.msgpack.encode(_in_order(value), enc_hook=_spelled)
    return hashlib.blake2b(spelled, digest_size=16).digest()


def _in_order(value: Any) -> Any:
    """Turn dicts into pairs in one order, whatever their keys are."""
    if isinstance(value, dict):
        return "dict", [(key, _in_order(value[key])) for key in sorted(value, key=lambda key: (type(key).__name__, repr(key)))]
    return [_in_order(item) for item in value] if isinstance(value, list | tuple) else value


def _spelled(value: Any) -> Any:
    """Turn what MessagePack cannot write into something that it can."""
    if isinstance(value, SimpleNamespace):
        return vars(value)
    value = as_array(value)
    if isinstance(value, np.ndarray | np.generic):
        return type(value).__name__, value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, types.FunctionType):
        closed_over = [cell.cell_contents for cell in value.__closure__ or ()]
        return value.__code__.co_code, repr(value.__code__.co_consts), closed_over, value.__defaults__
    return type(value).__name__, repr(value)


def fuzzy_key(value: Any) -> bytes:
    """Hash the arguments of a call so that the same call has the same hash on every machine.

    Floats count with three digits, since the last bits differ between processors; functions count by name.
    """
    with np.errstate(all="ignore"):
        return digest(mapped(value, _rough))


def _rough(item: Any) -> Any:
    item = as_array(item)
    if isinstance(item, np.ndarray | np.generic | float):
        array = np.asarray(item)
        return array.astype(np.float16) + np.float16(0) if array.dtype.kind == "f" else array.astype(np.int64)
    return getattr(item, "__name__", repr(item)) if callable(item) else item


class ObjectProxy:
    """An object that is not data and stays on the student's side: call it or its methods, and get or set its weights.

    `held` is the object itself, or its handle if a guest has it. Two proxies are equal if their labels are.
    """

    def __init__(self, student: Any, name: str, label: str, held: Any):
        self.held, self.of = held, name
        self._chance = True  # its weights are still random: what it does is no evidence of anything
        self._student, self._name, self._label = student, name, label

    def __repr__(self) -> str:
        return self._label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectProxy) and repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]  # it may change

    @property
    def type_name(self) -> str:
        """What its type is called on the student's side."""
        return str(getattr(self.held, "type_name", type(self.held).__name__))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._asked("@call", f"{self._name}()", args, kwargs)

    def method(self, name: str, *args: Any) -> Any:
        """Call a named method."""
        return self._asked(f"@method {name}", f"{self._name}().{name}", args, {})

    def weights(self) -> dict[str, Any]:
        """Read the weights: arrays by name."""
        value = self._asked("@weights", f"{self._name}().state_dict", (), {})
        if not isinstance(value, dict):
            raise TypeError(f"the weights of `{self._name}` are no dict")
        return value

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Replace its weights."""
        self._chance = False
        self._asked("@set_weights", f"{self._name}().load_state_dict", (weights,), {})

    def _asked(self, name: str, shown: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._student.executed(name, (self, *args), kwargs, shown=shown, of="" if self._chance else self.of)


def on_object(name: str, held: Any) -> Callable[..., Any]:
    """Find what "@call", "@method NAME", "@weights" or "@set_weights" means for an object in this process."""
    found = held if name == "@call" else part_of(held, name.removeprefix("@method "))
    return (lambda: copied(found())) if name == "@weights" else found
