"""Attacks on the frames: a guest that writes its own replies instead of letting them be written.

The guest's own words for it lie in the guest's memory, where an attacker finds them as easily: `guest` is its loop, `protocol` packs.
"""

from .attack import HANGS, PRELUDE, Attack, giving, stepping, while_right

FORGE = """
import struct, time
import msgspec
protocol = sys.modules["autograder.sandbox.guest.protocol"]
frame = sys._getframe()
while "guest" not in frame.f_locals:
    frame = frame.f_back
guest = frame.f_locals["guest"]
pack = msgspec.msgpack.encode

def raw(body):
    data = struct.pack("<I", len(body)) + body
    while data:
        data = data[os.write(3, data):]

def reply(*rest, id=None):
    return pack(["Reply", guest.running if id is None else id, "returned", *rest])

def extension(code, data):
    return reply(msgspec.msgpack.Ext(code, data))

def array(*shape, data=b"", dtype=11, framework=0, dimensions=None):
    size = len(shape) if dimensions is None else dimensions
    return extension(1, struct.pack(f"<BBB{len(shape)}Q", framework, dtype, size, *shape) + data)

def with_items(head, items):
    # a reply whose value is written out by hand
    return pack(["Reply", guest.running, "returned"]).replace(b"\\x93", b"\\x94", 1) + head + items

def gone():
    while os.read(3, 1 << 16):
        pass
    os._exit(0)

"""


def forging(source: str) -> str:
    return giving(FORGE + source)


# id, promise, what is written to the socket in the place of a reply
FRAMES = (
    ("garbage", "Bytes that are no message are refused", r"raw(b'\xc1' * 64)"),
    ("empty-frame", "A frame of no bytes is refused", "raw(b'')"),
    ("frame-of-4-gb", "A frame that announces four gigabytes is refused before it comes", r"os.write(3, b'\xff\xff\xff\xff')"),
    ("bytes-after-the-end", "A message with bytes after its end is refused", r"raw(reply(0.664) + b'\x00')"),
    ("cut-short", "A message that ends too early is refused", "raw(reply('x' * 100)[:-50])"),
    ("million-lists", "Eight million empty lists are refused before one is made",
     r"raw(with_items(b'\xdd' + struct.pack('>I', 8_000_000), b'\x90' * 8_000_000))"),
    ("two-billion-announced", "A list that announces two billion items is refused",
     r"raw(with_items(b'\xdd' + struct.pack('>I', 2**31), b''))"),
    ("map-announced", "A map that announces four billion pairs is refused", r"raw(with_items(b'\xdf' + b'\xff' * 4, b''))"),
    ("deep", "A hundred thousand lists, one in the other, are refused", r"raw(with_items(b'', b'\x91' * 100_000 + b'\xc0'))"),
    ("long-text", "A text of a megabyte is refused", "raw(reply('x' * 2**20))"),
    ("not-utf-8", "Text that is not UTF-8 is refused", r"raw(with_items(b'', b'\xa4\xff\xfe\xfd\xfc'))"),
    ("never-used-byte", "The one byte that MessagePack never uses is refused", r"raw(with_items(b'', b'\xc1'))"),
    ("made-up-id", "A reply with a made-up id is refused", "raw(reply(0.664, id='0' * 16))"),
    ("no-id", "A reply without an id is refused", "raw(pack(['Reply']))"),
    ("number-for-id", "A reply whose id is a number is refused", "raw(reply(0.664, id=7))"),
    ("passed", "A message of no known kind is refused", "raw(pack(['Verdict', guest.running, 'passed', 20]))"),
    ("unknown-outcome", "A reply of no known outcome is refused", "raw(pack(['Reply', guest.running, 'passed', 20]))"),
    ("walls-again", "Saying once more that all walls stand is no reply", "raw(pack(['Raised', {}]))"),
    ("load-us", "A message that only the other side may send is refused", "raw(pack(['Load', guest.running, 'solutions', b'', False]))"),
    ("ask-nobody", "A call of a function that was not given is refused", "raw(pack(['Ask', guest.running, 0, [], {}]))"),
    ("ask-below-zero", "A call of function number minus one is refused", "raw(pack(['Ask', guest.running, -1, [], {}]))"),
    ("shape-too-large", "An array with more shape than bytes is refused", "raw(array(8, 9, data=bytes(8)))"),
    ("shape-too-small", "An array with more bytes than shape is refused", "raw(array(1, data=bytes(800)))"),
    ("shape-that-overflows", "A shape whose product is 2^64 is refused", "raw(array(2**32, 2**32))"),
    ("shape-of-nothing", "A shape of nothing times a lot is refused", "raw(array(0, 2**60))"),
    ("no-shape", "An array that announces 255 dimensions is refused", "raw(array(dimensions=255))"),
    ("shape-missing", "An array without its shape is refused", "raw(array(dimensions=4))"),
    ("no-header", "An array of no bytes is refused", "raw(extension(1, b''))"),
    ("unknown-dtype", "An array of an unknown dtype is refused", "raw(array(1, data=bytes(8), dtype=200))"),
    ("unknown-kind", "An array that is neither numpy's nor torch's is refused", "raw(array(1, data=bytes(8), framework=7))"),
    ("unknown-extension", "An extension nobody knows is refused", "raw(extension(99, b'x' * 16))"),
    ("time-of-no-calendar", "A timestamp beyond every calendar is refused", r"raw(extension(-1, b'\xff' * 12))"),
    ("object-for-a-key", "A map that has an object for a key is refused",
     r"raw(with_items(b'\x81', pack(msgspec.msgpack.Ext(3, pack((1, 'float')))) + b'\x01'))"),
    ("pickle", "A pickle is not loaded", r"raw(extension(127, b'cos\nsystem\n(S\'true\'\ntR.'))"),
    ("callback-of-ours", "A function of the other side is no value", "raw(extension(2, pack((0, 'reference'))))"),
    ("broken-handle", "A handle that is not one is refused", r"raw(extension(3, b'\x92\x01'))"),
)  # fmt: skip

# id, promise, what is sent that is well-formed and still wrong
WORDS = (
    ("timestamp", "MessagePack's own timestamp is no number", r"raw(extension(-1, b'\x00\x00\x00\x01'))"),
    ("handle-from-nowhere", "A handle that was never given out is an object, and no answer", "raw(extension(3, pack((2**40, 'float'))))"),
    ("handle-with-a-long-name", "An object whose type has a name of megabytes, in colour, is told in few plain words",
     r"raw(extension(3, pack((1, '\x1b[31mPASSED\n' * 500_000))))"),
    ("exception-in-colour", "What an exception is called, says and where it was is stripped of colours and length",
     r"raw(pack(['Reply', guest.running, 'raised', None, '\x1b[2J' * 9000, '<script>' * 8000, ['line \x07' * 5000] * 99, []]))"),
    ("changed-without-end", "A list of changed arguments that makes no sense is refused or told in few plain words",
     r"raw(reply(0.5, '', '', [], ['\x1b[31m' * 100] * 9000))"),
    ("changed-by-number", "A changed argument with a number of 60,000 digits is refused or told in few plain words",
     "raw(reply(0.5, '', '', [], ['9' * 60_000]))"),
    ("out-of-memory-said", "Saying that memory ran out earns nothing", "raw(pack(['Reply', guest.running, 'out_of_memory', 20]))"),
)  # fmt: skip

TRICKLE = """\
os.write(3, struct.pack("<I", 5_000_000))
    while True:
        libc.usleep(20_000)
        os.write(3, b"x")"""

WHATEVER = frozenset({"wrong", "raised", "refused", "out_of_memory", "killed"})

ATTACKS = (
    *(
        Attack(name, promise, forging(f"def answer(shape):\n    {act}\n    gone()"), reasons=frozenset({"refused"}))
        for name, promise, act in FRAMES
    ),
    *(Attack(name, promise, forging(f"def answer(shape):\n    {act}\n    os._exit(0)"), reasons=WHATEVER) for name, promise, act in WORDS),
    Attack("reply-without-end", "A reply that comes byte by byte is cut off with its call", stepping(TRICKLE, FORGE), reasons=HANGS),
    Attack(
        "reply-without-a-reader",
        "A reply of gigabytes is cut off after the first few",
        forging("def answer(shape):\n    os.write(3, struct.pack('<I', 8 << 20))\n    while True:\n        os.write(3, bytes(1 << 20))"),
        reasons=frozenset({"refused"}),
    ),
    Attack(
        "silence",
        "A guest that swallows its calls is stopped",
        stepping("gone()", FORGE),
        reasons=HANGS,
    ),
    Attack(
        "two-replies",
        "A second reply to one call is refused, at the latest with the next",
        forging("def answer(shape):\n    raw(reply(7.0))\n    return 7.0"),
        reasons=frozenset({"wrong", "refused"}),
    ),
    Attack(
        "hung-up",
        "A guest that closes its own socket is gone",
        forging("def answer(shape):\n    os.closerange(0, 64)\n    libc.sleep(60)"),
        reasons=frozenset({"killed", "timed_out"}),
    ),
    Attack(
        "early-reply",
        "A reply before anything was asked is refused, and the file is not loaded",
        PRELUDE + FORGE + "print('TRIED')\nraw(reply(['forward_step', 'noise_to'], id=''))\n",
        reasons=frozenset({"refused"}),
    ),
    Attack(
        "questions-without-end",
        "A guest that asks a function that was not given, again and again, is refused",
        forging("def answer(shape):\n    while True:\n        raw(pack(['Ask', guest.running, 0, [], {}]))"),
        reasons=frozenset({"refused"}),
    ),
    Attack(
        "own-loop",
        "A guest that runs its own loop earns what its values are worth: these are right",
        while_right(
            FORGE
            + """
def serve(self, message):
    names = ["linear_betas", "alpha_bars", "forward_step", "noise_to", "predict_x0"]
    call = message.target[1] if hasattr(message, "target") else ""
    value = globals()[call](*message.args, **message.kwargs) if call else names
    raw(protocol.pack(protocol.Reply(message.id, "returned", value=value), self.refer)[4:])
type(guest).reply = serve
print("TRIED")
"""
        ),
        earns="all",
    ),
    Attack(
        "names-without-end",
        "A file that claims ten thousand functions, all nearly those asked for, keeps nobody busy",
        PRELUDE
        + FORGE
        + """
type(guest).reply = lambda self, message: raw(reply([f"noise_too{i:09}linear_bet" for i in range(9_900)], id=message.id))
print("TRIED")
""",
        reasons=frozenset({"raised", "refused"}),
    ),
)
