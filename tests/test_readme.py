"""README shows what the commands really print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^(?P<indent> *)```console\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)


def shown():
    """Yield each command that README shows, with what it says is printed."""
    for block in BLOCK.finditer((ROOT / "README.md").read_text(encoding="utf-8")):
        lines = [line.removeprefix(block["indent"]) for line in block["text"].splitlines()]
        assert lines[0].startswith("$ course "), lines[0]
        yield lines[0].removeprefix("$ course "), lines[1:]


def matches(printed, lines):
    """Compare with what README shows; `...` stands for anything, alone on a line for any lines."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n" for line in lines)
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("command", "lines"), list(shown()), ids=lambda value: value if isinstance(value, str) else "")
def test_readme_shows_what_the_command_prints(command, lines, tmp_path):
    arguments = [str(tmp_path) if word == "build/demo" else word for word in shlex.split(command)]
    done = subprocess.run([sys.executable, "-m", "autograder", *arguments], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"})
    assert matches(done.stdout.replace(str(tmp_path), "build/demo"), lines), done.stdout + done.stderr
