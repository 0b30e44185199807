"""README shows what the commands really print."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from tests.test_example_class import run  # noqa: F401  # the fixture: one graded class serves both

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>console|diff)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
LEARN, AFTER = "Learn", "After grading"  # in these sections the commands follow one another, as a student and an instructor type them
ASKED = re.compile(r"^(?:A number with 3 decimals|Try again \(Enter\), or see the working \(w\)\?): ?(.*)$", re.MULTILINE)


def blocks(*walks, others=False):
    """Yield the kind and the lines of each block in the walks' sections, or in all others."""
    for section in (ROOT / "README.md").read_text(encoding="utf-8").split("\n## "):
        if (section.split("\n", 1)[0] in walks) is not others:
            for block in BLOCK.finditer(section):
                yield block["kind"], [line.removeprefix(block["indent"]) for line in block["text"].splitlines()]


def commands(lines):
    """Yield each command of a block, with what it says is printed."""
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")] + [len(lines)]
    assert starts[0] == 0, lines[0]
    for start, end in pairwise(starts):
        yield lines[start].removeprefix("$ "), lines[start + 1 : end]


def shown():
    """Yield each command that README shows by itself, with what it says is printed."""
    for kind, lines in blocks(LEARN, AFTER, others=True):
        if kind == "console":
            yield from commands(lines)


def matches(printed, lines):
    """Compare with what README shows, but for spaces at the ends; `...` stands for anything, alone on a line for any lines."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(line.rstrip()).replace(re.escape("..."), ".*") + r"\n" for line in lines)
    return re.fullmatch(pattern, re.sub(r"[ \t]+\n", "\n", printed)) is not None


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("command", "lines"), list(shown()), ids=lambda value: value if isinstance(value, str) else "")
def test_readme_shows_what_the_command_prints(command, lines, tmp_path):
    words = [word.replace("build/demo", str(tmp_path)) for word in shlex.split(command)]
    words = [sys.executable, "-m", "autograder", *words[1:]] if words[0] == "course" else words
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"})
    assert matches(done.stdout.replace(str(tmp_path), "build/demo"), lines), done.stdout + done.stderr


@pytest.mark.usefixtures("walls")
def test_readmes_walk_goes_from_an_empty_folder_to_a_submission(tmp_path, monkeypatch):
    """Type what README says a student types, write what it says is written, and see what it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for kind, lines in blocks(LEARN):
        if kind == "diff":
            write(lines)
        else:
            for command, printed in commands(lines):
                type_in(command, printed, monkeypatch)


def type_in(command, lines, monkeypatch):
    """Type a command, and answers where README shows that it asks."""
    words = shlex.split(command)
    if words[0] == "cd":
        monkeypatch.chdir(words[1])
        return
    typed = "".join(f"{answer}\n" for answer in ASKED.findall("\n".join(lines)))
    done = CliRunner().invoke(main, words[1:], input=typed + "\n", catch_exceptions=False)
    assert matches(done.output, lines), done.output


def write(lines):
    """Change a file as a diff's lines say."""
    path = Path(lines[0].removeprefix("--- "))
    text = path.read_text(encoding="utf-8")
    old, new = ("".join(f"{line[1:]}\n" for line in lines[1:] if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.xdist_group("example-class")
@pytest.mark.usefixtures("walls")
def test_readmes_instructor_goes_on_from_the_graded_class(run, tmp_path, monkeypatch):  # noqa: F811  # the fixture
    """Type what README says an instructor types after grading the class of examples, and see what it shows."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    demo = shutil.copytree(run["out"], tmp_path / "demo")
    for kind, lines in blocks(AFTER):
        for command, printed in commands(lines) if kind == "console" else ():
            words = shlex.split(command.replace("build/demo", str(demo)))
            said = CliRunner().invoke(main, words[1:], catch_exceptions=False).stdout if words[0] == "course" else subprocess.check_output(words, text=True)
            assert matches(said.replace(str(demo), "build/demo"), printed), said
