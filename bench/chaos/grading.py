"""`course grade`, killed and given again: the gradebook must equal that of a run that nobody disturbed, but for times.

`disturbed` and `contents` are what the suite's own few kills use. The whole process group of a run's first process is not
touched: its workers and fork servers must notice by themselves that it is gone.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.chaos import demand, tell
from bench.chaos.leavings import adopting, demand_no_child, demand_no_scratch

ROOT = Path(__file__).resolve().parents[2]
CLASS = ROOT / "examples" / "class"
STUDENTS = 120
GRADED = re.compile(r"graded \d{4}-\d\d-\d\d \d\d:\d\d UTC")


def command(submissions: Path, out: Path, *more: str, program: str = "autograder") -> list[str]:
    """Give the command that is killed and finished."""
    grade = [sys.executable, "-m", program, "grade", str(submissions), "--out", str(out), "--seed", "5"]
    return [*grade, "--lesson", "12", "--exercise", "forward", "--json", *more]


def finish(submissions: Path, out: Path, *more: str, program: str = "autograder") -> dict[str, Any]:
    """Grade to the end and give the summary."""
    done = subprocess.run(command(submissions, out, *more, program=program), cwd=ROOT, capture_output=True, text=True)
    demand(done.returncode == 0, f"the command ends well, but its status is {done.returncode}: {done.stderr}")
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def disturbed(submissions: Path, out: Path, moment: Callable[[float], bool], program: str = "autograder") -> bool:
    """Grade, and kill -9 at a `moment`, which is asked with the seconds that have passed; say whether it was at work still."""
    process = subprocess.Popen(command(submissions, out, program=program), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    try:
        while process.poll() is None:
            if moment(time.monotonic() - started):
                return True
            time.sleep(0.002)
        return False
    finally:
        process.kill()
        process.wait()


def after(out: Path, count: int, seconds: float) -> Callable[[float], bool]:
    """The moment when these seconds have passed since so many attempts were on disk."""
    reached = float("inf")

    def now(since: float) -> bool:
        nonlocal reached
        if reached == float("inf") and attempts(out) >= count:
            reached = since
        return since >= reached + seconds

    return now


def attempts(out: Path) -> int:
    """Count the attempts that are on disk."""
    if not (out / "gradebook.sqlite").exists():
        return 0
    with closing(sqlite3.connect(out / "gradebook.sqlite")) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'attempts'").fetchone()[0]
        return int(db.execute("SELECT count(*) FROM attempts").fetchone()[0]) if tables else 0


def contents(out: Path) -> list[str]:
    """Give all attempts of a gradebook without times and runs, in an order of their own; one that was made twice is there twice."""
    with closing(sqlite3.connect(out / "gradebook.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT student, exercise, key, private, result FROM attempts").fetchall()
    return sorted(json.dumps([*row[:4], timeless(json.loads(row[4]))]) for row in rows)


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """Give a result without the times it took."""
    return {**result, "graded_at": "", "checks": [{**check, "seconds": 0} for check in result["checks"]]}


def results(out: Path) -> list[dict[str, Any]]:
    """Give the lines of OUT/results.jsonl without times."""
    return [timeless(json.loads(line)) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def files(out: Path) -> dict[str, str]:
    """Give what people and other tools read of OUT, without the time of grading."""
    found = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in ("gradebook.sqlite", "results.jsonl")]
    return {str(path.relative_to(out)): GRADED.sub("graded", path.read_text(encoding="utf-8")) for path in found}


def everything(out: Path) -> tuple[list[str], list[dict[str, Any]], dict[str, str]]:
    """Give all that a run leaves, without times."""
    return contents(out), results(out), files(out)


def small_class(folder: Path, count: int) -> Path:
    """Lay out students of the example class that end by themselves, over and over."""
    files = sorted(path for path in CLASS.glob("*/forward.py") if path.parent.name in ("Amara Okafor", "Carlos Mendoza", "Yusuf Demir"))
    for number in range(count):
        (folder / f"s{number:04d}").mkdir(parents=True)
        (folder / f"s{number:04d}" / "forward.py").write_bytes(files[number % len(files)].read_bytes() + b"\n# %d\n" % number)
    return folder


def killed_with_a_jumping_clock(kills: int, moments: random.Random, folder: Path) -> str:
    """Kill runs of which no look at the clock gives what the one before gave: see `jumping`."""
    return killed(kills, moments, folder, "bench.chaos.jumping")


def killed(kills: int, moments: random.Random, folder: Path, program: str = "autograder") -> str:
    """Kill so many runs, each gradebook until a run of it ends by itself; say what came of it. Raise `Broken` where it differs."""
    submissions = small_class(folder / "class", STUDENTS)
    finish(submissions, folder / "calm")
    calm = everything(folder / "calm")
    done = rounds = 0
    with adopting() as before:
        while done < kills:
            out = folder / f"out{rounds}"
            while done < kills and disturbed(submissions, out, _moment(moments, out), program):
                done += 1
                tell(f"kill {done}: {attempts(out)} of {STUDENTS} on disk")
                demand_no_child(before)
            finish(submissions, out, program=program)
            demand(everything(out) == calm, f"gradebook {rounds} and its files equal the undisturbed ones, after kill {done}")
            demand_no_child(before)
            demand_no_scratch(folder / "scratch")
            rounds += 1
    return f"{done} kills in {rounds} gradebooks: each equals the undisturbed one but for times; no child and no scratch is left"


def _moment(moments: random.Random, out: Path) -> Callable[[float], bool]:
    """Choose when to kill: now and then before anything is graded, or long after all is."""
    more = moments.randint(0, STUDENTS // 4)
    return after(out, attempts(out) + more if more else 0, moments.uniform(0, 0.2 if more else 3))
