"""The frames that cross the wall: what survives the trip, and what is refused before it is decoded."""

import struct

import msgspec
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from autograder.sandbox.guest import protocol


def no_reference(value):
    raise protocol.NotData("an object")


def keep(array, torch):
    return array


def trip(value):
    """Send a value as a reply and read it as the trusted side does."""
    body = protocol.pack(protocol.Reply("id", "returned", value=value), no_reference)[protocol.HEADER.size :]
    protocol.scan(body)
    return protocol.unpack(body, protocol.FromGuest, no_reference, keep).value


@pytest.mark.parametrize("value", [None, True, -3, 2**63, 0.1, "ᾱ", [1, [2.5, "x"], None], {"a": 1, "b": [True]}, float("inf")])
def test_plain_data_crosses_unchanged(value):
    assert trip(value) == value


@pytest.mark.parametrize("dtype", protocol.DTYPES)
def test_arrays_of_every_dtype_cross_unchanged(dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    back = trip(array)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    back[0] = 0  # it owns its memory


@pytest.mark.parametrize("array", [np.zeros(()), np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T, np.arange(4, dtype=">i4")], ids=repr)
def test_unusual_layouts_keep_shape_and_values(array):
    assert np.array_equal(trip(array), array)
    assert trip(array).shape == array.shape


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=50),
                    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5), max_leaves=30))  # fmt: skip
def test_whatever_is_packed_scans_and_comes_back(value):
    assert trip(value) == value


@settings(max_examples=500)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_protocol_error(body):
    """The trusted side raises its own documented error and nothing else, whatever a guest writes."""
    try:
        protocol.scan(body)
        protocol.unpack(body, protocol.FromGuest, no_reference, keep)
    except (protocol.ProtocolError, protocol.NotData):
        pass


@given(st.data())
def test_a_frame_with_one_byte_changed_gives_a_message_or_a_protocol_error(data):
    body = bytearray(protocol.pack(protocol.Reply("id", "returned", value=[np.arange(3.0), {"a": "text"}]), no_reference)[4:])
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        protocol.scan(body)
        protocol.unpack(body, protocol.FromGuest, no_reference, keep)
    except (protocol.ProtocolError, protocol.NotData):
        pass


def nested(depth):
    return b"\x91" * depth + b"\xc0"


SCANS = {
    "too deep": (nested(17), "nested deeper than 16"),
    "too deep by maps": (b"\x81\xc0" * 17 + b"\xc0", "nested deeper than 16"),
    "a list that claims four thousand million items": (b"\xdd\xff\xff\xff\xff", "the message ends too early"),
    "many empty lists": (b"\xdc\xff\xff" + b"\x90" * 65535, "more than 10000 values"),
    "a long text": (b"\xdb" + struct.pack(">I", 65537) + b"a" * 65537, "a text of more than 65536 bytes"),
    "cut in a text": (b"\xd9\x05abc", "the message ends too early"),
    "cut in a text that would be too long": (b"\xdb\x00\x01\x00\x01", "the message ends too early"),
    "cut in a length": (b"\xdd\x00", "the message ends too early"),
    "nothing": (b"", "the message ends too early"),
    "two messages": (b"\xc0\xc0", "bytes after the end of the message"),
    "a byte that MessagePack does not use": (b"\xc1", "an unknown byte 0xc1"),
}


@pytest.mark.parametrize(("body", "message"), SCANS.values(), ids=SCANS.keys())
def test_limits_hold_before_decoding(body, message):
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol.scan(body)
    assert str(caught.value) == message


def test_the_deepest_allowed_nesting_passes():
    protocol.scan(nested(16))


def ext(code, payload):
    return msgspec.msgpack.encode(["Reply", "id", "returned", msgspec.msgpack.Ext(code, payload)])


LIES = {
    "shape larger than the bytes": (1, struct.pack("<BBBQ", 0, 11, 1, 10) + b"\0" * 8, "an array of shape (10,) with 8 bytes"),
    "shape that overflows 64 bits": (1, struct.pack("<BBB2Q", 0, 11, 2, 2**63, 2), f"an array of shape ({2**63}, 2) with 0 bytes"),
    "an endless empty shape": (1, struct.pack("<BBB2Q", 0, 11, 2, 2**40, 0), f"an array of shape ({2**40}, 0) with 0 bytes"),
    "unknown dtype": (1, struct.pack("<BBB", 0, 99, 0), "an array with an unknown kind, dtype or number of dimensions"),
    "unknown kind": (1, struct.pack("<BBB", 7, 1, 0), "an array with an unknown kind, dtype or number of dimensions"),
    "too many dimensions": (1, struct.pack("<BBB", 0, 1, 9), "an array with an unknown kind, dtype or number of dimensions"),
    "no shape": (1, struct.pack("<BBB", 0, 1, 2), "an array without its shape"),
    "unknown extension": (77, b"", "an unknown extension 77"),
}


@pytest.mark.parametrize(("code", "payload", "message"), LIES.values(), ids=LIES.keys())
def test_lies_about_arrays_are_refused(code, payload, message):
    with pytest.raises(protocol.ProtocolError) as caught:
        protocol.unpack(ext(code, payload), protocol.FromGuest, no_reference, keep)
    assert message in str(caught.value)


UNSENDABLE = {
    "an array of objects": (np.array([object()]), "an array of dtype object"),
    "complex numbers": (np.zeros(2, complex), "an array of dtype complex128"),
    "nine dimensions": (np.zeros((1,) * 9), "an array of 9 dimensions"),
    "nine megabytes": (np.zeros(9 << 20, np.uint8), "9 MiB of data, where 8 may be sent"),
}


@pytest.mark.parametrize(("value", "message"), UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_what_cannot_be_sent_is_named(value, message):
    with pytest.raises(protocol.NotData) as caught:
        protocol.pack(protocol.Reply("id", "returned", value=value), no_reference)
    assert str(caught.value) == message


def test_an_integer_beyond_64_bits_is_not_data():
    with pytest.raises(protocol.NotData):
        protocol.pack(protocol.Reply("id", "returned", value=10**30), no_reference)


def test_a_message_of_another_kind_is_refused():
    body = protocol.pack(protocol.Answer("id", 1), no_reference)[4:]
    with pytest.raises(protocol.ProtocolError):
        protocol.unpack(body, protocol.FromGuest, no_reference, keep)


LIMITS_PASSED = ("more than", "nested deeper", "a text of")


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers(-9, 9), lambda inner: st.lists(inner, max_size=2), max_leaves=60).map(msgspec.msgpack.encode))
@example(b"\xdb\x00\x01\x00\x01")  # a text that claims more than it may hold, and ends
def test_what_is_called_tiny_passes_no_limit(body):
    """The scan may be left out for it: whatever the scan would refuse is a message cut short, which decoding refuses too."""
    assume(protocol.tiny(body))
    refused = refusal(body)
    assert not refused.startswith(LIMITS_PASSED)
    if refused:
        with pytest.raises(protocol.ProtocolError):
            protocol.unpack(body, protocol.FromGuest, no_reference, keep)


def refusal(body):
    """Give what the scan says against a body, or nothing."""
    try:
        protocol.scan(body)
    except protocol.ProtocolError as error:
        return str(error)
    return ""


def test_a_long_or_a_deep_body_is_not_tiny():
    assert not protocol.tiny(msgspec.msgpack.encode("x" * (protocol.NODES + 1)))
    assert not protocol.tiny(b"\x91" * (protocol.DEPTH + 1) + b"\xc0")
    assert protocol.tiny(b"\x91" * protocol.DEPTH + b"\xc0")
