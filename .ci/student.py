"""Go the student's way with the installed package, on any system: start, check, hint, practise, review, submit, serve.

    python .ci/student.py [--no-walls]

It runs `course` from the PATH in an empty folder. Options are passed to `course check`. The exit status is 1 at the first surprise.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

COURSE = shutil.which("course") or "course"
STUB = 'raise NotImplementedError("forward_step")'
MISTAKE = "return (1 - beta) ** 0.5 * x_prev + beta * eps"
RIGHT = "return (1 - beta) ** 0.5 * x_prev + beta ** 0.5 * eps"


def course(*words: str, cwd: Path, typed: str = "", status: int = 0, shows: str = "") -> str:
    """Run a command; end here unless it exits with this status and prints this."""
    wide = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run([COURSE, *words], cwd=cwd, input=typed, capture_output=True, encoding="utf-8", env=wide)
    said = " ".join((done.stdout + done.stderr).split())
    print(f"$ course {' '.join(words)}\n{done.stdout}{done.stderr}", flush=True)
    if done.returncode != status or shows not in said:
        sys.exit(f"surprise: status {done.returncode} instead of {status}, or no {shows!r} in what was printed")
    return done.stdout


def replace(path: Path, old: str, new: str) -> None:
    """Write into a file as a student does."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def check(work: Path, options: list[str]) -> None:
    """See the mistake named, write the right line, and see the checks pass."""
    course("check", "forward.py", *options, cwd=work, status=1, shows="0 of 14 public checks pass")
    replace(work / "forward.py", STUB, MISTAKE)
    course("check", "forward.py", *options, cwd=work, status=1, shows="You scaled the noise by β.")
    course("hint", "forward.py", cwd=work, shows="forward_step, hint 1 of 3")
    replace(work / "forward.py", MISTAKE, RIGHT)
    course("check", "forward.py", *options, cwd=work, status=1, shows="3 of 14 public checks pass, 4.5 of 20 points")


def serve(work: Path) -> None:
    """Open the site and read its first page."""
    with subprocess.Popen([COURSE, "serve"], cwd=work, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http\S+", process.stdout.readline())
            assert found, "no address was printed"
            with urllib.request.urlopen(found[0], timeout=60) as answer:
                assert b"Generating images by denoising" in answer.read()
            print(f"$ course serve\n{found[0]} answers", flush=True)
        finally:
            process.kill()


def main(options: list[str]) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        course("start", "diffusion", cwd=Path(home), shows="Created in diffusion")
        work = Path(home, "diffusion")
        course("read", "one-step-by-hand", cwd=work, shows="One step by hand")
        check(work, options)
        course("practice", "fresh-step", cwd=work, typed="0.790\n\n", shows="✓ Right.")
        course("progress", cwd=work, shows="1 card due")
        course("stats", cwd=work)
        course("deck", "--to", "apkg", "--out", "cards.apkg", cwd=work, shows=" cards.")
        course("submit", "--name", "Ada Lovelace", cwd=work, shows="4.5 points by the public checks")
        assert "forward.py" in " ".join(zipfile.ZipFile(work / "Ada Lovelace.zip").namelist())
        serve(work)
    print("The student's path works.")


if __name__ == "__main__":
    main(sys.argv[1:])
