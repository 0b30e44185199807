"""Any value that a call gives, as plain JSON, and back: what JSON cannot say is a mapping with one key that names its kind.

{"array": ["<f8", [4, 2], BASE64]}   and "scalar" for one number of numpy's, "tensor" for torch's
{"tuple": [...]}   {"dict": [[KEY, VALUE], ...]}   {"float": "nan"}   {"object": "ConditionedBlock 1"}
"""

from __future__ import annotations

import base64
import gzip
import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from autograder.objects import Thing
from autograder.recordings import is_tensor

T = TypeVar("T")


def pack(value: Any) -> Any:
    """Give a value as what JSON can say. Raise `TypeError` for what is no value."""
    if value is None or isinstance(value, bool | str) or (isinstance(value, int) and type(value) is int):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return {"array" if isinstance(value, np.ndarray) else "scalar": _array(np.asarray(value))}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if is_tensor(value):
        return {"tensor": _array(value.detach().numpy())}
    if isinstance(value, list | tuple):
        items = [pack(item) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if isinstance(value, Thing):
        return {"object": repr(value)}
    raise TypeError(f"a {type(value).__name__} is no value that can be recorded")


def unpack(packed: Any) -> Any:
    """Give back the value."""
    if isinstance(packed, list):
        return [unpack(item) for item in packed]
    if not isinstance(packed, dict):
        return packed
    ((kind, inside),) = packed.items()
    if kind in ("array", "scalar", "tensor"):
        dtype, shape, text = inside
        array = np.frombuffer(base64.b64decode(text), np.dtype(dtype)).reshape(shape).copy()
        return array if kind == "array" else array[()] if kind == "scalar" else __import__("torch").from_numpy(array)
    if kind == "dict":
        return {unpack(key): unpack(item) for key, item in inside}
    if kind == "object":
        return Thing(None, "", inside, None)
    return tuple(unpack(item) for item in inside) if kind == "tuple" else float(inside)


def _array(array: np.ndarray[Any, Any]) -> list[Any]:
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]


def write_gz(path: Path, recordings: Any) -> None:
    """Write recordings as compressed JSON; the same recordings give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(msgspec.json.encode(recordings), mtime=0))


def read_gz(path: Path, kind: type[T]) -> T:
    """Read them back as `kind`."""
    return msgspec.json.decode(gzip.decompress(path.read_bytes()), type=kind)
