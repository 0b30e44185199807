"""What a large class costs: memory, more cores, a cluster, the report.

    python -m bench.scale many --students 100000   one class, killed at half way: memory, resuming, the files at the end, exports
    python -m bench.scale cores                    two workers against one, beside bare fork-and-call
    python -m bench.scale cluster                  two Dask workers against two local ones; what Dask costs for a task
    python -m bench.scale report --students 100000 what is written of so many results, and their exports
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from msgspec.structs import replace

from autograder.course.loading import read_course
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules
from autograder.instructor.outputs import result_files, write_feedback, write_report
from bench.chaos.grading import attempts
from bench.chaos.workers import children_of
from bench.throughput import CLASS, NUMPY, Spent, _below, copies, fork_and_call, one_more

ROOT = Path(__file__).resolve().parents[1]
TURNS = 5
FEW, MANY = 100, 500


def command(submissions: Path, out: Path, *more: str) -> list[str]:
    grade = [sys.executable, "-m", "autograder", "grade", str(submissions), "--out", str(out), "--exercise", "forward", "--json"]
    return [*grade, *more]


def finish(submissions: Path, more: Sequence[str] = (), others: Sequence[int] = ()) -> Spent:
    """Grade a class into a fresh folder; give what it took, the CPU of `others` (a cluster's processes) included."""
    with tempfile.TemporaryDirectory() as out:
        used = resource.getrusage(resource.RUSAGE_CHILDREN), sum(map(_below, others))
        done = subprocess.run(command(submissions, Path(out), *more), cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - used[0].ru_utime - used[0].ru_stime + sum(map(_below, others)) - used[1]
        return Spent(float(json.loads(done.stdout)["seconds"]), cpu)


def steady(few: Path, many: Path, more: Sequence[str] = (), others: Sequence[int] = ()) -> Spent:
    """Give what one more submission takes, of classes of FEW and MANY."""
    return one_more(finish(few, more, others), finish(many, more, others), MANY - FEW)


def below(pid: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield pid
    try:
        children = children_of(pid)
    except OSError:  # a guest that has ended meanwhile
        return
    for child in children:
        yield from below(child)


def mebibytes(pid: int) -> float:
    """Give the memory of a process and all below it; what several share is shared out among them."""
    total = 0
    for one in below(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:  # a guest that has ended meanwhile
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def many(students: int, folder: Path) -> None:
    """Grade one large class, and look at the memory of all its processes as it goes; kill it at half way, and give the command again."""
    submissions, out = copies(NUMPY, folder / "class", students), folder / "out"
    started = time.monotonic()
    half, seen = watched(submissions, out, students // 2)
    print(f"killed after {half} of {students} and {time.monotonic() - started:.0f} s", flush=True)
    used, resumed = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    total, late = watched(submissions, out, None)
    seconds = time.monotonic() - resumed
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    first = next(when for when, done, _ in late if done > half) - resumed
    last = max(when for when, done, _ in late if done < total) - resumed
    print(f"first result of the second run after {first:.1f} s; {total - half} graded in {last - first:.0f} s")
    print(f"all files {seconds - last:.1f} s after the last")
    print(f"CPU of all processes of the second run: {cpu:.0f} s")
    early = statistics.median(memory for _, done, memory in seen if 1_000 <= done < 2_000)
    end = statistics.median(memory for _, done, memory in late if total - 2_000 <= done < total)
    most = max(memory for _, _, memory in late)
    print(f"memory of all processes: {early:.0f} MiB at the 1,000th, {end:.0f} MiB at the last")
    print(f"at most, with the files at the end: {most:.0f} MiB")
    print(f"report.html: {(out / 'report.html').stat().st_size / 1e6:.1f} MB")
    exports(out, folder)


def watched(submissions: Path, out: Path, until: int | None) -> tuple[int, list[tuple[float, int, float]]]:
    """Grade until so many attempts are there, or to the end. Give their number, and by time how many there were and the memory."""
    process = subprocess.Popen(command(submissions, out), cwd=ROOT, stdout=subprocess.DEVNULL)
    seen: list[tuple[float, int, float]] = []
    while process.poll() is None:
        time.sleep(1)
        seen.append((time.monotonic(), attempts(out), mebibytes(process.pid)))
        if until is not None and seen[-1][1] >= until:
            process.kill()
            process.wait()
            return attempts(out), seen
    if process.returncode:
        sys.exit(f"the command ended with status {process.returncode}")
    return attempts(out), seen


def cores() -> None:
    """Two workers against one, in turn with bare fork-and-call on two processes against one."""
    with tempfile.TemporaryDirectory() as name:
        source = NUMPY
        few, large = copies(source, Path(name) / "few", FEW), copies(source, Path(name) / "many", MANY)
        ours, bare = [], []
        for _ in range(TURNS):
            ours.append(steady(few, large, ["--workers", "1"]).wall / steady(few, large, ["--workers", "2"]).wall)
            with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
                alone = pool.submit(fork_and_call, source).result().wall
                bare.append(sum(alone / one.wall for one in pool.map(fork_and_call, [source] * 2)))
            print(f"two against one: ours {ours[-1]:.2f}, bare fork-and-call {bare[-1]:.2f}", flush=True)
        ratio = statistics.median(ours) / statistics.median(bare)
        print(f"medians: {statistics.median(ours):.2f} and {statistics.median(bare):.2f}; ours is {ratio:.2f} of bare")


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """Run a scheduler and workers, a process each; give the address, and the processes."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}  # as docs/scale.md has it
    quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    told = folder / "scheduler.json"
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard"]
    started = [subprocess.Popen([*scheduler, "--scheduler-file", str(told)], **quiet)]  # type: ignore[call-overload]
    while not told.exists() or not told.stat().st_size:
        time.sleep(0.1)
    address = json.loads(told.read_text())["address"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started += [subprocess.Popen([*worker, "--local-directory", str(folder)], **quiet) for _ in range(workers)]  # type: ignore[call-overload]
    try:
        yield address, [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def task_milliseconds(address: str, workers: int) -> list[float]:
    """Give what one empty task costs from hand to hand, at full flow, with one submission's bytes in it; several measurements."""
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)
        times = []
        for turn in range(TURNS):
            started = time.monotonic()
            tasks = [client.submit(len, NUMPY, key=f"empty-{turn}-{number}", pure=False) for number in range(500)]
            for _ in as_completed(tasks, loop=client.loop):
                pass
            times.append(1000 * (time.monotonic() - started) / len(tasks))
    return times


def cluster() -> None:
    """Two Dask workers against two local ones, in turn."""
    with tempfile.TemporaryDirectory() as name, dask(Path(name), 2) as (address, others):
        source = NUMPY
        few, large = copies(source, Path(name) / "few", FEW), copies(source, Path(name) / "many", MANY)
        tasks = task_milliseconds(address, 2)
        print(f"an empty Dask task: {statistics.median(tasks):.2f} ms ({min(tasks):.2f} to {max(tasks):.2f})", flush=True)
        ratios, costs = [], []
        for _ in range(TURNS):
            there, here = steady(few, large, ["--cluster", address], others), steady(few, large, ["--workers", "2"])
            ratios.append(here.wall / there.wall)
            costs.append(here.cpu / there.cpu)
            print(f"a second: {1 / there.wall:.1f} on two Dask workers, {1 / here.wall:.1f} on two of this machine's: {ratios[-1]:.2f}")
            print(f"CPU for one: {1000 * there.cpu:.1f} ms there, {1000 * here.cpu:.1f} ms here: {costs[-1]:.2f}", flush=True)
        print(f"medians: {statistics.median(ratios):.2f} of the rate; by CPU {statistics.median(costs):.2f}")


def report(students: int, folder: Path) -> None:
    """Time what is written of a large class whose results for one exercise are the example class's, given to one after another."""
    example = [sys.executable, "-m", "autograder", "grade", str(CLASS), "--out", str(folder / "example"), "--seed", "12"]
    subprocess.run([*example, "--exercise", "forward"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    with Gradebook(folder / "example" / "gradebook.sqlite") as book:
        run = str(book.last_run())
        given = [one for attempts in book.attempts(run) for one in attempts]
    course = read_course(ROOT)
    with Gradebook(folder / "gradebook.sqlite") as book:
        book.begin(run, {})
        results = ((f"Student {number:06d}", given[number % len(given)]) for number in range(students))
        book.keep(run, (Kept(replace(one.result, student=who), one.notes) for who, one in results))
        rules = read_rules(folder, book, course.policy)
        with timed("results.jsonl, grades.csv and the report"), result_files(folder) as write:
            write_report(folder / "report.html", course, book, run, rules, each=write)
        with timed("feedback, two files for each"):
            write_feedback(folder, course, book, run, rules)
    print(f"report.html: {(folder / 'report.html').stat().st_size / 1e6:.1f} MB")
    exports(folder, folder)


def exports(out: Path, folder: Path) -> None:
    """Time some exports of OUT."""
    for platform in ("canvas", "moodle", "csv"):
        command = [sys.executable, "-m", "autograder", "export", str(out), "--to", platform, "--out", str(folder / platform)]
        with timed(f"export to {platform}"):
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=("many", "cores", "cluster", "report"))
    parser.add_argument("--students", type=int, default=10_000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        {
            "many": lambda: many(options.students, Path(folder)),
            "cores": cores,
            "cluster": cluster,
            "report": lambda: report(options.students, Path(folder)),
        }[options.what]()


if __name__ == "__main__":
    main()
