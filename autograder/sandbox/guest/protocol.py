"""The frames that cross the wall: plain data in, plain data out, limits before decoding.

A frame is four bytes of length (little endian) and a MessagePack body, which holds None, bool, int, float, text, bytes, lists, maps, and
four extensions: an array (rebuilt from dtype, shape and bytes), a function of the other side (a callback, known by number), an object whose
methods are such functions, and an object of the guest (a handle, known by number). Nothing is pickled.

Both sides use this module. The trusted side never decodes a frame before `scan` has walked it: frame 8 MiB, depth 16, 10,000 nodes,
text 64 KiB. It knows nothing about the course.
"""

import math
import struct
from array import ArrayType
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
import numpy as np

from autograder.sandbox.guest.frameworks import NUMBERS, framework_of

FRAME_BYTES = 8 << 20
DEPTH = 16
NODES = 10_000
TEXT_BYTES = 64 << 10
DIMENSIONS = 8
VALUE_BYTES = 80  # of memory for a value beside its bytes in the frame: an empty dict takes that
TINY_FACTOR = 20  # the most memory for each byte of a tiny frame, where short texts take it

HEADER = struct.Struct("<I")
ARRAY, CALLBACK, HANDLE, METHODS = 1, 2, 3, 4
DTYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
CODES = {np.dtype(name): code for code, name in enumerate(DTYPES)}


class ProtocolError(Exception):
    """These bytes may not cross. The message says which rule they break."""


class NotData(Exception):
    """A value that cannot be sent: an array of objects, an integer beyond 64 bits."""


# ---- messages


class Load(msgspec.Struct, tag=True, array_like=True):
    """Run `source` as the module `module` in about `seconds`, unless its code has more than `most` characters (0: no limit, both)."""

    id: str
    module: str
    source: bytes
    notebook: bool = False
    most: int = 0
    seconds: float = 0


class Call(msgspec.Struct, tag=True, array_like=True):
    """Call what `target` names: [module, function], [handle], [handle, method], [handle, "@weights"], [handle, "@set_weights"]."""

    id: str
    target: list[str | int]
    args: list[Any]
    kwargs: dict[str, Any]


class Answer(msgspec.Struct, tag=True, array_like=True):
    """What the trusted side answers to an `Ask`; `refused` says why there is no value."""

    id: str
    value: Any = None
    refused: str = ""


class Free(msgspec.Struct, tag=True, array_like=True):
    """Forget every handle."""


class Reply(msgspec.Struct, tag=True, array_like=True):
    """How a `Load` or `Call` ended. `where`: the student's own lines. `changed`: the arguments that were changed in place.

    `takes`: the parameters of a function that could not be called with these arguments.
    """

    id: str
    kind: Literal["returned", "raised", "out_of_memory", "refused"]
    value: Any = None
    exception: str = ""
    message: str = ""
    where: list[str] = []
    changed: list[str | int] = []
    takes: str | None = None


class Ask(msgspec.Struct, tag=True, array_like=True):
    """The guest calls a callback of the running call."""

    id: str
    callback: int
    args: list[Any]
    kwargs: dict[str, Any]


class Lacks(msgspec.Struct, tag=True, array_like=True):
    """The submission needs a module that another preload profile has: it is to be run again with that, and this guest is done."""

    id: str
    module: str


class Raised(msgspec.Struct, tag=True, array_like=True):
    """The guest is ready. `missing`: walls that could not be raised, each with the reason."""

    missing: dict[str, str]


ToGuest = Load | Call | Answer | Free
FromGuest = Reply | Ask | Lacks | Raised


class Reference(msgspec.Struct, frozen=True):
    """The number of something that stays on its own side: a callback or a handle. `label` names its type.

    The handle 0 of the trusted side is the function MODULE.NAME that its label names.
    """

    kind: Literal["callback", "handle"]
    number: int
    label: str = ""


# ---- values


def pack_array(array: np.ndarray[Any, Any], framework: int) -> bytes:
    """Encode an array as: framework (0: numpy), dtype code, number of dimensions, each dimension, bytes in C order."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    code = CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        raise NotData(f"an array of dtype {array.dtype}")
    if array.ndim > DIMENSIONS:
        raise NotData(f"an array of {array.ndim} dimensions")
    raw = np.ascontiguousarray(array, dtype=DTYPES[code] if code == 0 else "<" + DTYPES[code])
    return struct.pack(f"<BBB{array.ndim}Q", framework, code, array.ndim, *array.shape) + raw.tobytes()


def unpack_array(data: memoryview) -> tuple[np.ndarray[Any, Any], int]:
    """Rebuild an array that owns its memory, with the number of its framework. Raise `ProtocolError` if sizes do not agree."""
    if len(data) < 3 or data[0] > len(NUMBERS) or data[1] >= len(DTYPES) or data[2] > DIMENSIONS:
        raise ProtocolError("an array with an unknown kind, dtype or number of dimensions")
    start = 3 + 8 * data[2]
    if len(data) < start:
        raise ProtocolError("an array without its shape")
    shape = struct.unpack(f"<{data[2]}Q", data[3:start])
    dtype = np.dtype(DTYPES[data[1]])
    if math.prod(shape) * dtype.itemsize != len(data) - start or any(n > FRAME_BYTES for n in shape):
        raise ProtocolError(f"an array of shape {shape} with {len(data) - start} bytes")
    return np.frombuffer(data[start:], dtype=dtype).reshape(shape).copy(), data[0]


def pack(message: Any, refer: Callable[[Any], Reference]) -> bytes:
    """Encode a message, header included; `refer` numbers whatever is not data."""

    def extend(value: Any) -> msgspec.msgpack.Ext | list[Any]:
        if isinstance(value, np.ndarray | np.generic):
            return msgspec.msgpack.Ext(ARRAY, pack_array(np.asarray(value), 0))
        if framework := framework_of(value):
            return msgspec.msgpack.Ext(ARRAY, pack_array(framework.to_numpy(value), NUMBERS[framework.name]))
        if isinstance(value, range | deque | ArrayType):
            return list(value)
        if isinstance(value, SimpleNamespace):
            numbers = {name: refer(method).number for name, method in vars(value).items()}
            return msgspec.msgpack.Ext(METHODS, msgspec.msgpack.encode(numbers))
        reference = value if isinstance(value, Reference) else refer(value)
        code = CALLBACK if reference.kind == "callback" else HANDLE
        return msgspec.msgpack.Ext(code, msgspec.msgpack.encode((reference.number, reference.label[:100])))

    try:
        body = msgspec.msgpack.encode(message, enc_hook=extend)
    except OverflowError:
        raise NotData("an integer beyond 64 bits") from None
    except RecursionError:
        raise NotData("a value that is nested without end") from None
    except UnicodeEncodeError:
        raise NotData("a text that is not Unicode") from None
    if len(body) > FRAME_BYTES:
        raise NotData(f"{len(body) >> 20} MiB of data, where {FRAME_BYTES >> 20} may be sent")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes | bytearray, kind: Any, resolve: Callable[[Reference], Any], array: Callable[[Any, int], Any]) -> Any:
    """Decode a body as one of the messages of `kind`; `resolve` looks up what is not data, `array` may turn an array into a tensor.

    Raise `ProtocolError` if it is anything else.
    """

    def extend(code: int, data: memoryview) -> Any:
        if code == ARRAY:
            return array(*unpack_array(data))
        if code == METHODS and (numbers := msgspec.msgpack.decode(data, type=dict[str, int])):
            return SimpleNamespace(**{name: resolve(Reference("callback", number)) for name, number in numbers.items()})
        if code not in (CALLBACK, HANDLE):
            raise ProtocolError(f"an unknown extension {code}")
        number, label = msgspec.msgpack.decode(data, type=tuple[int, str])
        return resolve(Reference("callback" if code == CALLBACK else "handle", number, label))

    try:
        return msgspec.msgpack.decode(body, type=kind, ext_hook=extend)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise ProtocolError(f"not a message ({error})") from None


# ---- limits, before anything is decoded

# First byte of a MessagePack item -> (bytes of its own length or payload, what follows). Fixed-length items need no entry.
_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_BINARY = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4}
_TEXT = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_NESTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def _step(tag: int) -> int:
    """Return how far the next item is, if the first byte alone decides that and nothing is inside; otherwise 0."""
    if tag <= 0x7F or tag >= 0xE0:
        return 1
    if 0xA0 <= tag <= 0xBF:
        return 1 + (tag & 0x1F)
    return 1 + _FIXED[tag] if tag in _FIXED else 0


_STEPS = tuple(map(_step, range(256)))

_FLAT = bytes(tag for tag in range(256) if not (0x80 <= tag <= 0x9F or tag in _NESTED))


def tiny(body: bytes | bytearray) -> bool:
    """Return whether a body is too short, and has too few bytes that may open a list, to pass any limit."""
    return len(body) <= NODES and len(body.translate(None, _FLAT)) <= DEPTH


def weight(body: bytes | bytearray) -> int:
    """Return about how many bytes of memory a body takes when it is decoded. Raise `ProtocolError` if it passes a limit."""
    return TINY_FACTOR * len(body) if tiny(body) else len(body) + VALUE_BYTES * scan(body)


def scan(body: bytes | bytearray) -> int:
    """Count the values in a MessagePack body without building any. Raise `ProtocolError` if it passes a limit or ends too early."""
    at, nodes = 0, 0
    open_items = [1]  # items still to come, one entry a level
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            continue
        open_items[-1] -= 1
        nodes += 1
        if nodes > NODES:
            raise ProtocolError(f"more than {NODES} values")
        step = _STEPS[body[at]] if at < len(body) else 0
        if step and at + step <= len(body):
            at += step
            continue
        at, children = _item(body, at)
        if children:
            open_items.append(children)
            if len(open_items) > DEPTH + 1:
                raise ProtocolError(f"nested deeper than {DEPTH}")
    if at != len(body):
        raise ProtocolError("bytes after the end of the message")
    return nodes


def _item(body: bytes | bytearray, at: int) -> tuple[int, int]:
    """Step over one item at `at`; return where the next one starts and how many children come first."""
    if at >= len(body):
        raise ProtocolError("the message ends too early")
    tag = body[at]
    at += 1
    text = children = 0
    if tag <= 0x7F or tag >= 0xE0:
        size = 0
    elif tag <= 0x8F:
        size, children = 0, 2 * (tag & 0x0F)
    elif tag <= 0x9F:
        size, children = 0, tag & 0x0F
    elif tag <= 0xBF:
        size = text = tag & 0x1F
    elif tag in _FIXED:
        size = _FIXED[tag]
    elif tag in _FIXED_EXT:
        size = 1 + _FIXED_EXT[tag]
    elif tag in _TEXT:
        text, at = _length(body, at, _TEXT[tag])
        size = text
    elif tag in _BINARY:
        size, at = _length(body, at, _BINARY[tag])
        size += tag >= 0xC7
    elif tag in _NESTED:
        width, each = _NESTED[tag]
        children, at = _length(body, at, width)
        size, children = 0, children * each
    else:
        raise ProtocolError(f"an unknown byte {tag:#x}")
    if at + size > len(body):
        raise ProtocolError("the message ends too early")
    if text > TEXT_BYTES:
        raise ProtocolError(f"a text of more than {TEXT_BYTES} bytes")
    return at + size, children


def _length(body: bytes | bytearray, at: int, width: int) -> tuple[int, int]:
    if at + width > len(body):
        raise ProtocolError("the message ends too early")
    return int.from_bytes(body[at : at + width], "big"), at + width
