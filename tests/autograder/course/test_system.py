"""What differs between operating systems. Windows' ways are taken through its own functions, played here."""

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from autograder.course import system
from autograder.course.files import replaced

NAMES = {
    "of a person": ("Zoë Ångström", "Zoë Ångström"),
    "with an apostrophe and a dot": ("Sinéad O'Rourke Jr.", "Sinéad O'Rourke Jr"),
    "with a Mac's accents": ("Zoe\u0308", "Zoë"),
    "with a drive": ("C:\\Users\\Ada", "C--Users-Ada"),
    "with what Windows keeps for itself": ('a<b>c:"d"/e|f?g*h', "a-b-c--d--e-f-g-h"),
    "with a line's end": ("a\nb", "a-b"),
    "a device": ("con", "-con"),
    "a device with an ending": ("Aux.b.c", "-Aux.b.c"),
    "a device with a space": ("nul .x", "-nul .x"),
    "a port": ("COM1", "-COM1"),
    "a port in superscript": ("lpt²", "-lpt²"),
    "nearly a device": ("Connor", "Connor"),
    "too long": ("x" * 300, "x" * 80),
    "nothing but dots": ("..", ""),
    "nothing but spaces": ("  ", ""),
}


@pytest.fixture
def windows(monkeypatch):
    """Windows, whose C library locks what is in `held`. Gives it."""
    held = []

    def locking(descriptor, mode, count):
        if os.fstat(descriptor).st_ino in held:
            raise PermissionError(13, "Permission denied")
        held.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(system, "WINDOWS", True)
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(LK_NBLCK=2, locking=locking))
    return held


@pytest.mark.parametrize(("text", "name"), NAMES.values(), ids=NAMES)
def test_a_name_of_a_file_is_taken_by_every_file_system(text, name):
    assert system.file_name(text) == name


def test_a_lock_is_held_by_one_until_it_is_closed(tmp_path):
    held = system.lock(tmp_path)
    with pytest.raises(BlockingIOError):
        system.lock(tmp_path)
    os.close(held)
    os.close(system.lock(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_on_windows_a_file_in_the_folder_is_locked(windows, tmp_path):
    held = system.lock(tmp_path)
    with pytest.raises(BlockingIOError):
        system.lock(tmp_path)
    os.close(held)
    assert windows == [(tmp_path / ".lock").stat().st_ino]


def test_what_cannot_be_locked_says_why(windows, tmp_path):
    with pytest.raises(FileNotFoundError):
        system.lock(tmp_path / "gone")


def test_a_file_is_moved_once_another_program_has_closed_the_other(windows, monkeypatch, tmp_path):
    """A virus scanner opens each new file for a moment; `os.replace` fails meanwhile."""
    real, tries = Path.replace, []

    def busy(path, target):
        tries.append(target)
        if len(tries) < 3:
            raise PermissionError(13, "Access is denied")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", busy)
    (tmp_path / "answers.yaml").write_text("old")
    with replaced(tmp_path / "answers.yaml") as beside:
        beside.write_text("new")
    assert len(tries) == 3
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"answers.yaml": "new"}


@pytest.mark.parametrize("patience", [0, 0.01])
def test_a_file_that_stays_open_is_left_and_said(windows, monkeypatch, tmp_path, patience):
    def busy(path, target):
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(system, "PATIENCE", patience)
    with pytest.raises(PermissionError, match="Access is denied"), replaced(tmp_path / "answers.yaml") as beside:
        beside.write_text("new")


WORDS = ["plain", "two words", "C:\\Program Files\\Python\\python.exe", "C:\\Users\\ada\\python.exe", "a&b", "50%", "~", "Zoë's", "", "(1)"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_a_shell_is_one_word(word):
    typed = f"{sys.executable} -c 'import sys; print(sys.argv[1:])' {system.shell_word(word)}"
    assert subprocess.check_output(["sh", "-c", typed], text=True) == f"{[word]}\n"


@pytest.mark.parametrize("word", WORDS)
def test_on_windows_a_word_with_anything_special_is_in_double_quotes(windows, word):
    """The only ones that cmd.exe knows."""
    special = word not in ("plain", "C:\\Users\\ada\\python.exe", "50%")
    assert system.shell_word(word) == (f'"{word}"' if special else word)
