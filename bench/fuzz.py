"""Throw bytes at whatever reads what strangers wrote, for as long as you like.

    make fuzz                                  ten minutes for each target, one after the other
    python -m bench.fuzz frames answers --seconds 60

Guided by coverage (atheris). A target names what it may raise: its own documented error, in one line. Anything else is a
finding: its bytes stay in build/fuzz/TARGET/ and the command ends with status 1. What was found becomes a test.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / "build" / "fuzz"
TINY = ROOT / "tests" / "broken_courses" / "tiny"
MOST_BYTES = 4096


@dataclass(frozen=True)
class Target:
    """What is fuzzed: `begin` imports what it needs and gives a function of bytes; `seeds` are bytes to begin with."""

    begin: Callable[[], Callable[[bytes], None]]
    seeds: Callable[[], Iterable[bytes]]


def frames() -> Callable[[bytes], None]:
    """The trusted side reads a frame: refused with `ProtocolError`, and never decoded where a limit is passed."""
    from autograder.sandbox.guest import protocol

    def read(data: bytes) -> None:
        refused = ""
        try:
            protocol.scan(data)
        except protocol.ProtocolError as error:
            refused = str(error)
        try:
            protocol.unpack(data, protocol.FromGuest, lambda reference: reference, lambda array, framework: array)
        except protocol.ProtocolError:
            return
        assert not (refused and protocol.tiny(data)), f"tiny, decoded, and yet the scan says: {refused}"

    return read


def frames_seeds() -> Iterable[bytes]:
    import numpy as np

    from autograder.sandbox.guest import protocol

    values = (1, 0.5, "x", None, True, [1, [2, {"a": b"x"}]], np.ones((2, 3)), np.zeros(0, np.int8))
    for value in values:
        yield protocol.pack(protocol.Reply("id", "returned", value=value), lambda thing: protocol.Reference("handle", 1))[4:]
    yield protocol.pack(protocol.Ask("id", 0, [np.ones(2), 3], {"t": 1}), lambda thing: protocol.Reference("handle", 1))[4:]


def notebook() -> Callable[[bytes], None]:
    """The guest reads a notebook: `ValueError` in one line where it is none."""
    from autograder.course.text import decode
    from autograder.sandbox.guest import source

    def read(data: bytes) -> None:
        refused = ""
        try:
            parts = source.parts(decode(data).text, "fuzz.py", notebook=True)
        except ValueError as error:
            refused, parts = str(error), []
        for part in parts:
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                source.statements(part)
        assert "\n" not in refused

    return read


def notebook_seeds() -> Iterable[bytes]:
    for path in (ROOT / "examples" / "class").rglob("*.ipynb"):
        yield path.read_bytes()[:MOST_BYTES]
    yield b'{"cells": [{"cell_type": "code", "metadata": {}, "source": ["%%time\\n", "x = !ls\\n"]}]}'


def answers() -> Callable[[bytes], None]:
    """A student's `answers.yaml`, read and marked: `AnswersError`, or a mark for every question."""
    from autograder.course.loading import read_course
    from autograder.course.model import Submission
    from autograder.grading.marking import mark_answers
    from autograder.grading.questions import functions_of

    lesson = read_course(TINY).lessons[0]
    functions = functions_of(TINY, lesson)

    def read(data: bytes) -> None:
        submission = Submission("ada", lesson.id, "practice", "answers.yaml", data, None, "present")
        for check in mark_answers(submission, lesson, functions).checks:
            assert "\n" not in check.message

    return read


def answers_seeds() -> Iterable[bytes]:
    for path in (ROOT / "examples" / "class").rglob("answers.yaml"):
        yield path.read_bytes()
    yield b"sum: {seed: 7, answer: 0,79}\nwhich: [a, b]\n"


def content() -> Callable[[bytes], None]:
    """An author's files: `CourseError` with the file and the line of every finding."""
    from autograder.course.errors import CourseError
    from autograder.course.loading import read_course

    course = Path(tempfile.mkdtemp(prefix="fuzz-"))
    shutil.copytree(TINY, course, dirs_exist_ok=True)
    files = [*sorted(course.rglob("*.yaml")), *sorted(course.rglob("lesson.md"))]
    texts = {path: path.read_bytes() for path in files}

    def read(data: bytes) -> None:
        path = files[data[0] % len(files)] if data else files[0]
        path.write_bytes(data[1:])
        with contextlib.suppress(CourseError):
            read_course(course)
        path.write_bytes(texts[path])

    return read


def content_seeds() -> Iterable[bytes]:
    for number, path in enumerate([*sorted(TINY.rglob("*.yaml")), *sorted(TINY.rglob("lesson.md"))]):
        yield bytes([number]) + path.read_bytes()


def archives() -> Callable[[bytes], None]:
    """A zip that was handed in: `Unreadable` in words, and names that stay within it."""
    from autograder.instructor.archives import Archive
    from autograder.instructor.file_tree import Unreadable

    def read(data: bytes) -> None:
        with contextlib.suppress(Unreadable):
            archive, waiting = Archive(data, "ada.zip"), [""]
            while waiting and len(waiting) < 1000:
                folder = waiting.pop()
                for name in archive.names(folder):
                    path = f"{folder}/{name}".lstrip("/")
                    assert not {"..", ""} & set(path.split("/"))
                    if archive.kind(path) == "folder":
                        waiting.append(path)
                    with contextlib.suppress(Unreadable):
                        archive.read(path)

    return read


def archives_seeds() -> Iterable[bytes]:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("12_diffusion/forward.py", "x = 1\n")
            archive.writestr("manifest.json", '{"lesson": "12_diffusion", "files": {}}')
        yield packed.getvalue()


def reviews() -> Callable[[bytes], None]:
    """A review log from elsewhere, in each of its forms: `UsageError` in a line, or rows that are counted."""
    from autograder.course.errors import UsageError
    from autograder.learner.review.log import Log
    from autograder.learner.review.merge import merge

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    log = Log(folder / "reviews.sqlite")

    def read(data: bytes) -> None:
        other = folder / ("other" + (".jsonl", ".sqlite", ".apkg")[data[0] % 3 if data else 0])
        other.write_bytes(data[1:])
        with contextlib.suppress(UsageError):
            merge(log, other, (), 0)

    return read


def reviews_seeds() -> Iterable[bytes]:
    from datetime import UTC, datetime

    from autograder.course.loading import read_course
    from autograder.learner.review.deck import Deck

    with tempfile.TemporaryDirectory() as place, Deck.open(Path(place), read_course(TINY).lessons) as deck:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        deck.answer(next(iter(deck.faces.values())), 3, now)
        deck.undo(now)
        for path in sorted(Path(place).iterdir()):
            yield bytes([0 if path.suffix == ".jsonl" else 1]) + path.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("collection.anki2", b"SQLite format 3")
    yield b"\x02" + packed.getvalue()


TARGETS = {
    "frames": Target(frames, frames_seeds),
    "notebook": Target(notebook, notebook_seeds),
    "answers": Target(answers, answers_seeds),
    "content": Target(content, content_seeds),
    "archives": Target(archives, archives_seeds),
    "reviews": Target(reviews, reviews_seeds),
}


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; it ends with the process."""
    import atheris

    with atheris.instrument_imports(include=["autograder"]):
        read = TARGETS[name].begin()
    place = FOUND / name
    (place / "corpus").mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (place / "corpus" / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", f"-artifact_prefix={place}/", "-verbosity=0", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(place / "corpus"), *options], read)
    atheris.Fuzz()


def main() -> None:
    """Fuzz the targets that are named, or all, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; all where none is named")
    parser.add_argument("--seconds", type=int, default=600, help="how long for each target")
    asked = parser.parse_args()
    if unknown := [name for name in asked.targets if name not in TARGETS]:
        parser.error(f"no target {unknown[0]}: there are {', '.join(TARGETS)}")
    if os.environ.get("FUZZ_ONE"):
        return fuzz(asked.targets[0], asked.seconds)
    findings = 0
    for name in asked.targets or TARGETS:
        command = [sys.executable, "-W", "ignore", "-m", "bench.fuzz", name, "--seconds", str(asked.seconds)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"FUZZ_ONE": "1"}, capture_output=True, text=True)
        runs = next((line.split()[-1] for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")), "?")
        print(f"{name:10} {runs:>10} inputs  {'nothing found' if done.returncode == 0 else 'FOUND, see ' + str(FOUND / name)}", flush=True)
        if done.returncode:
            findings += 1
            print(done.stdout.strip()[-3000:])
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
