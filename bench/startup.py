"""What each command takes from the keypress to its end, in its cheapest real run (two minutes of CPU, of which `lint` takes most).

    python -m bench.startup

In a fresh workspace, and with the results of one student. CPU seconds are of all processes that take part; the least of three runs
each (of `lint`, `notebook` and `release` of one), for what disturbs a run only adds. `serve` is ended by Ctrl-C when it has answered.
`review` ends where it would draw the first card, and `optimise` where it has counted too few answers.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from autograder.cli.main import main as course
from bench.throughput import CLASS, ROOT, Spent

TIMES = 3
SLOW = ("lint", "notebook", "release")  # they run every check or misconception there is: once is enough

STATUS = {"check": 1, "review": 2, "optimise": 2}  # a starter does not pass; there is no terminal; there are too few answers

# Each command as it is typed, and where: W is the workspace, C the clone. OUT holds one student's results, NEW is a path that is free.
RUNS = """
W --help
W --version
W doctor
W start NEW
W read one-step-by-hand
W check forward.py
W hint forward.py
W practice
W progress
W review
W stats
W optimise
W reset forward.py
W submit
W serve
C map
C deck --to apkg --out NEW
C grade CLASS --out NEW --exercise forward
C regrade OUT
C report OUT
C feedback OUT
C export OUT --to csv --out NEW
C override Amara by_hand --points 1 --reason slow --out OUT
C similar OUT
C misconceptions list OUT
C site --out NEW
C lint
C notebook --out NEW
C release --out NEW
"""


class Places(NamedTuple):
    """The folders of one measurement."""

    workspace: Path
    submissions: Path
    out: Path
    new: Path


def typed() -> Iterator[tuple[str, list[str]]]:
    """Give each run: where, and its words."""
    for line in RUNS.split("\n")[1:-1]:
        where, *words = line.split()
        yield where, words


def unmeasured() -> set[str]:
    """Name the commands that help lists and no run measures."""
    return {name for name, command in course.commands.items() if not command.hidden} - {words[0] for _, words in typed()}


def prepare(folder: Path) -> Places:
    """Make a workspace, a class of one, and its results."""
    places = Places(folder / "workspace", folder / "class", folder / "out", folder / "new")
    places.submissions.mkdir()
    shutil.copytree(CLASS / "Amara Okafor", places.submissions / "Amara")
    for where, words in (("C", ["start", str(places.workspace)]), ("C", ["grade", "CLASS", "--out", "OUT", "--exercise", "forward"])):
        run(where, words, places)
    return places


def run(where: str, words: list[str], places: Places) -> Spent:
    """Run a command once, without a terminal; give what it took. Stop where it ends otherwise than it should."""
    names = {"CLASS": places.submissions, "OUT": places.out, "NEW": places.new}
    command = [sys.executable, "-m", "autograder", *(str(names.get(word, word)) for word in words)]
    settings = {**os.environ, "XDG_DATA_HOME": str(places.workspace.parent), "PYTHONUNBUFFERED": "1"}
    folder, given = places.workspace if where == "W" else ROOT, {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    _clear(places.new)
    used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with subprocess.Popen(command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, **given) as process:  # type: ignore[call-overload]
        if words[0] == "serve":
            _visit(process)
        said, _ = process.communicate()
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != STATUS.get(words[0], 0):
        sys.exit(f"{' '.join(words)}: {process.returncode}\n{said}")
    return Spent(wall, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)


def _clear(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _visit(server: subprocess.Popen[str]) -> None:
    """Read the address that is printed, fetch its page, and press Ctrl-C."""
    assert server.stdout is not None
    address = re.search(r"http://\S+", server.stdout.readline())
    if address:
        urlopen(address[0], timeout=30).read()
    server.send_signal(signal.SIGINT)


def main() -> None:
    """Print the table."""
    if missing := unmeasured():
        sys.exit(f"no run of {', '.join(sorted(missing))}")
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}\n")
    print("| `course ...` | CPU | by the clock |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        places = prepare(Path(name))
        for where, words in typed():
            taken = [run(where, words, places) for _ in range(1 if words[0] in SLOW else TIMES)]
            wall, cpu = min(one.wall for one in taken), min(one.cpu for one in taken)
            print(f"| `{' '.join(words)}` | {cpu:.2f} s | {wall:.2f} s |", flush=True)
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
