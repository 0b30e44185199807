"""Results as plain files: `results.jsonl`, one line for a student and exercise, and `grades.csv` for a spreadsheet."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from autograder.explain import clean
from autograder.model import Result

AT_ONCE, BATCH = 16, 256  # files that wait for the disk together; files that are held in memory at most
COLUMNS = ("student", "lesson", "exercise", "status", "score", "max_score")


def write_jsonl(path: Path, results: Iterable[Result]) -> None:
    """Write each result as one line of JSON."""
    with replaced(path) as beside, beside.open("wb") as file:
        for result in results:
            file.write(msgspec.json.encode(result) + b"\n")


def write_csv(path: Path, results: Iterable[Result]) -> None:
    """Write the columns of the contract."""
    with replaced(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            writer.writerow([cell(getattr(result, name)) for name in COLUMNS])


def cell(value: str | float) -> str | float:
    """Make a cell harmless."""
    return text(value) if isinstance(value, str) else value


def text(value: str, length: int = 500) -> str:
    """Make a text harmless for a cell: a spreadsheet takes what starts with = + - @ for a formula."""
    shown = clean(value, length)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def number(value: float) -> str:
    """Write points as every spreadsheet reads them: a point, no needless decimals."""
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV whose cells are harmless already."""
    with replaced(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Write beside a file and put it in its place at the end, so that nobody, nor a lost power line, ever sees half of one."""
    beside = _beside(path)
    yield beside
    _synced(beside)
    beside.replace(path)


def write_texts(texts: Iterable[tuple[Path, str]]) -> int:
    """Write many files as `replaced` does, those that differ, and say how many there are now.

    A disk takes little longer for a hundred at once than for one.
    """
    waiting, there = ((path, text.encode()) for path, text in texts), 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while some := list(islice(waiting, BATCH)):
            other = {path: data for path, data in some if not _holds(path, data)}
            for path, data in other.items():
                _beside(path).write_bytes(data)
            list(threads.map(_synced, map(_beside, other)))
            for path in other:
                _beside(path).replace(path)
            there += len(some)
    return there


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _synced(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
