"""Hostile archives: refused or read with a line, and nothing is ever written, followed or unpacked without a bound."""

import gzip
import lzma
import resource
import stat
import tarfile
import zipfile

import pytest

from autograder.instructor.archives import Archive
from autograder.instructor.file_tree import Unreadable
from autograder.instructor.intake import open_class

from .handouts import HANDOUT
from .packing import link, locked, lying_about_size, packed, patched, sevened, special, tarred

LESSON = "12_diffusion"
GOOD = b"x = 1\n"


def graded(tmp_path, data, name="Eve"):
    """Hand in one archive beside an honest student; return Eve's submission and the lines told."""
    (tmp_path / "class" / name).mkdir(parents=True)
    (tmp_path / "class" / name / "hw.zip").write_bytes(data)
    (tmp_path / "class" / "Ada").mkdir()
    (tmp_path / "class" / "Ada" / "forward.py").write_bytes(GOOD)
    before = sorted(path for path in tmp_path.rglob("*"))
    opened = open_class(tmp_path / "class", LESSON)
    honest, hostile = opened.submissions(HANDOUT, ["forward"], every=False)
    assert honest.source == GOOD
    assert sorted(path for path in tmp_path.rglob("*")) == before, "something was unpacked"
    return hostile, opened.notes


READ = {
    "flat": [("forward.py", GOOD)],
    "in the lesson's folder": [("12_diffusion/forward.py", GOOD)],
    "wrapped twice": [("a/b/forward.py", GOOD)],
    "wrapped, and in the lesson's folder": [("my work/12_diffusion/forward.py", GOOD)],
    "from a Mac": [("hw/forward.py", GOOD), ("__MACOSX/hw/._forward.py", b"\0\0")],
    "from Windows": [("hw\\forward.py", GOOD)],
    "beside hidden files": [(".git/config", b""), ("forward.py", GOOD)],
}


@pytest.mark.parametrize("members", READ.values(), ids=READ.keys())
def test_an_archive_is_read_however_it_is_wrapped(tmp_path, members):
    one, notes = graded(tmp_path, packed(*members))
    assert (one.status, one.source, notes) == ("present", GOOD, [])


LEFT_OUT = {
    "above the archive": ("../../forward.py", "it points outside the archive"),
    "from the root": ("/etc/forward.py", "it points outside the archive"),
    "up in the middle": ("a/../../forward.py", "it points outside the archive"),
    "up the Windows way": ("..\\..\\forward.py", "it points outside the archive"),
    "another drive": ("C:\\forward.py", "it points outside the archive"),
    "twenty folders deep": ("a/" * 20 + "forward.py", "its path is too long"),
}


@pytest.mark.parametrize(("name", "why"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_member_that_may_not_lie_there_is_left_out_with_a_line(tmp_path, name, why):
    one, notes = graded(tmp_path, packed((name, GOOD)))
    assert (one.status, notes) == ("unrecognised", [f"Eve: `hw.zip/{name[:80]}` was not taken, because {why}"])
    assert [each.why for each in one.handed_in.unused] == [why]


def nested(depth, *members):
    """Pack members into archives in one another, of several kinds."""
    data = packed(*members)
    for number in range(depth):
        data = packed((f"{number}.zip", data)) if number % 2 else tarred((f"{number}.zip", data))
    return data


@pytest.mark.parametrize("make", [packed, tarred], ids=["zip", "tar"])
def test_an_archive_within_an_archive_is_read(tmp_path, make):
    one, notes = graded(tmp_path, make(("work/hw.zip", packed(("12_diffusion/forward.py", GOOD)))))
    assert (one.status, one.source, notes) == ("present", GOOD, [])


def test_archives_deeper_than_that_are_told(tmp_path):
    one, notes = graded(tmp_path, nested(2, ("forward.py", GOOD)))
    assert one.status == "unrecognised"
    assert notes == ["Eve: `hw.zip/1.zip/0.zip` was not taken, because it lies within 2 other archives"]


def test_a_bomb_within_a_bomb_stays_packed(tmp_path):
    bomb = packed(("inner.zip", packed(("forward.py", b"\0" * (50 << 20)))))
    one, notes = graded(tmp_path, bomb)
    assert (one.status, one.problem) == ("unreadable", "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out")
    assert notes == []


def test_many_archives_in_one_are_opened_up_to_a_number(tmp_path):
    one, notes = graded(tmp_path, packed(*((f"{number:02}.zip", packed((f"{number}.txt", ""))) for number in range(30))))
    assert one.status == "unrecognised"
    assert "Eve: `hw.zip/19.zip` was not taken, because only 20 archives are opened" in notes


def test_archives_in_one_hold_no_more_memory_than_one_may(tmp_path):
    """A few bytes that unpack to 60 MB, several times."""
    bomb = gzip.compress(tarred(("zeros.bin", b"\0" * (60 << 20))))
    one, notes = graded(tmp_path, packed(*((f"{number}.tar.gz", bomb) for number in range(3))))
    assert one.status == "unrecognised"
    assert "Eve: `hw.zip/1.tar.gz` was not taken, because all archives together hold more than 96 MiB" in notes


UNREADABLE = {
    "a link": (lambda: packed((link("forward.py"), "/etc/passwd")), "forward.py is a link, which is not followed"),
    "a device": (lambda: packed((special("forward.py", stat.S_IFCHR), "")), "forward.py is not a file"),
    "a pipe": (lambda: packed((special("forward.py", stat.S_IFIFO), "")), "forward.py is not a file"),
    "a folder": (lambda: packed(("forward.py/", ""), ("notes.txt", "")), "forward.py is not a file"),
    "a lesson's folder that is a link": (lambda: packed((link("12_diffusion"), "/etc"), ("forward.py", GOOD)), "the folder 12_diffusion is a link, which is not followed"),
    "a password": (lambda: locked("forward.py", GOOD), "forward.py is protected by a password in hw.zip"),
    "50 MB of nothing": (lambda: packed(("forward.py", b"\0" * (50 << 20))), "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out"),
    "4 GB by its own word": (lambda: lying_about_size("forward.py", GOOD, 0xFFFFFFFE), "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out"),
    "50 MB that say 10 bytes": (lambda: lying_about_size("forward.py", b"\0" * (50 << 20), 10), "forward.py is damaged in hw.zip: pack it again"),
    "a broken checksum": (lambda: patched(packed((special("forward.py", stat.S_IFREG, zipfile.ZIP_STORED), "abcdefgh")), b"abcdefgh", b"abcdefgX"), "forward.py is damaged in hw.zip: pack it again"),
    "another packing": (lambda: packed((special("forward.py", stat.S_IFREG, zipfile.ZIP_BZIP2), GOOD)), "forward.py is compressed in an unsupported way: pack hw.zip as a plain zip"),
    "no zip at all": (lambda: b"forward.py = 1", "hw.zip is not a zip file, or is damaged"),
    "a zip cut in half": (lambda: packed(("forward.py", bytes(range(256)) * 40))[:-60], "hw.zip is not a zip file, or is damaged"),
    "a list of forty thousand files": (lambda: _with_long_list(), "hw.zip contains too many files"),
    "a zip that says it is of 64 bits": (lambda: _with_locator(), "hw.zip contains too many files"),
    "nothing": (lambda: b"", "hw.zip is not a zip file, or is damaged"),
    "30 MB": (lambda: b"\0" * (30 << 20), "hw.zip is larger than 20 MiB: leave data out"),
}  # fmt: skip


def _with_long_list():
    data = bytearray(packed(("forward.py", GOOD)))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = (2 << 20).to_bytes(4, "little")
    return bytes(data)


def _with_locator():
    data = packed(("forward.py", GOOD))
    end = data.rfind(b"PK\x05\x06")
    return data[:end] + b"PK\x06\x07" + b"\0" * 16 + data[end:]


@pytest.mark.parametrize(("make", "problem"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_taken_is_a_submission_with_the_reason(tmp_path, make, problem):
    one, _ = graded(tmp_path, make())
    assert (one.status, one.problem, one.source) == ("unreadable", problem, None)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_told_and_neither_is_taken(tmp_path):
    one, notes = graded(tmp_path, packed(("forward.py", b"good = 1"), ("./forward.py", b"evil = 1")))
    assert (one.status, one.problem) == ("unreadable", "forward.py is in hw.zip twice: pack it again")
    assert notes == ["Eve: `hw.zip/forward.py` was not taken, because it is in the archive twice, so neither copy is used"]


@pytest.mark.parametrize(("second", "status"), [(GOOD, "present"), (b"y = 2\n", "unrecognised")], ids=["the same work", "other work"])
def test_several_archives_are_opened_and_not_chosen_from(tmp_path, second, status):
    (tmp_path / "class" / "Eve").mkdir(parents=True)
    for name, source in {"a.zip": GOOD, "b.zip": second}.items():
        (tmp_path / "class" / "Eve" / name).write_bytes(packed(("forward.py", source)))
    (one,) = open_class(tmp_path / "class", LESSON).submissions(HANDOUT, ["forward"], every=False)
    assert one.status == status


@pytest.mark.parametrize(("stored", "name"), [(b"\xc3\x85sa", "Åsa"), (b"\x86sa", "åsa")], ids=["UTF-8 that does not say so", "DOS"])
def test_names_in_other_encodings_become_text(stored, name):
    data = patched(packed(("XXXX"[: len(stored)], GOOD)), b"XXXX"[: len(stored)], stored)
    assert Archive(data, "hw.zip").names() == [name]


def linked(kind):
    info = tarfile.TarInfo("forward.py")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


OF_OTHER_KINDS = {
    "a link in a tar": (lambda: tarred((linked(tarfile.SYMTYPE), b"")), "unreadable", "forward.py is a link, which is not followed"),
    "a hard link in a tar": (lambda: tarred((linked(tarfile.LNKTYPE), b"")), "unreadable", "forward.py is a link, which is not followed"),
    "a device in a tar": (lambda: tarred((linked(tarfile.CHRTYPE), b"")), "unreadable", "forward.py is not a file"),
    "a path that leaves a tar": (lambda: tarred(("../forward.py", GOOD)), "unrecognised", "`hw.zip/../forward.py`: it points outside the archive"),
    "the root in a tar": (lambda: tarred(("/forward.py", GOOD)), "unrecognised", "`hw.zip//forward.py`: it points outside the archive"),
    "a tar cut in half": (lambda: tarred(("forward.py", GOOD * 900))[:1000], "unreadable", "hw.zip is damaged: pack it again"),
    "a gzip cut in half": (lambda: tarred(("forward.py", GOOD), pack=gzip.compress)[:-20], "unreadable", "hw.zip is damaged: pack it again"),
    "a gzip of noise": (lambda: gzip.compress(b"noise" * 200), "unreadable", "hw.zip is damaged: pack it again"),
    "100 MB of nothing in a gzip": (lambda: gzip.compress(b"\0" * (100 << 20)), "unreadable", "hw.zip is larger than 64 MiB: leave data out"),
    "100 MB of nothing in an xz": (lambda: lzma.compress(b"\0" * (100 << 20)), "unreadable", "hw.zip is larger than 64 MiB: leave data out"),
    "50 MB in a tar": (lambda: tarred(("forward.py", b"\0" * (50 << 20)), pack=gzip.compress), "unreadable", "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out"),
    "many thousand files": (lambda: tarred(*((f"{n}", b"") for n in range(10_001)), pack=gzip.compress), "unreadable", "hw.zip contains too many files"),
    "a 7z cut in half": (lambda: sevened(("forward.py", GOOD * 900))[:-30], "unreadable", "hw.zip is damaged, protected by a password or too large: pack a zip"),
    "a 7z with a password": (lambda: sevened(("forward.py", GOOD), password="x"), "unreadable", "hw.zip is damaged, protected by a password or too large: pack a zip"),
    "100 MB of nothing in a 7z": (lambda: sevened(("forward.py", b"\0" * (100 << 20))), "unreadable", "hw.zip is damaged, protected by a password or too large: pack a zip"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "status", "problem"), OF_OTHER_KINDS.values(), ids=OF_OTHER_KINDS.keys())
def test_other_archives_are_held_to_the_same_limits(tmp_path, make, status, problem):
    """They are all called hw.zip: what an archive is, its bytes say."""
    one, _ = graded(tmp_path, make())
    assert (one.status, one.problem, one.source) == (status, problem, None)


def test_a_7z_is_told_where_its_reader_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.instructor.archives.find_spec", lambda name: None)
    one, _ = graded(tmp_path, b"7z\xbc\xaf\x27\x1c")
    assert (one.status, one.problem) == ("unrecognised", "`hw.zip`: 7z archives are not read where the package py7zr is not installed")


def test_reading_a_bomb_costs_little_memory():
    """What a member says of its size is not believed, and not unpacked either."""
    archive = Archive(lying_about_size("forward.py", b"\0" * (100 << 20), 100), "hw.zip")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unreadable):
        archive.read("forward.py")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
