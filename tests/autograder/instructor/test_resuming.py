"""What was graded is kept: a run that was killed goes on where it was, and what is unchanged isn't graded again."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import SandboxFault, StoreFault, UsageError
from autograder.course.loading import read_course
from autograder.course.model import HandedIn, Submission
from autograder.instructor.grade import GradeRequest, exclusive_lock
from autograder.instructor.grade import grade as run
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.pool import LocalPool
from bench.chaos import grading as chaos
from bench.chaos import workers
from bench.chaos.leavings import adopting, demand_no_child, demand_no_scratch
from tests.autograder.instructor.test_results import result
from tests.courses import ROOT


def typed(words):
    """Run a command in this process: its workers are processes of their own all the same."""
    return CliRunner().invoke(main, words[3:], catch_exceptions=False)


def grade(base, *more):
    done = typed(chaos.command(base / "class", base / "out", *more))
    return done, json.loads(done.stdout)


@pytest.fixture(scope="module")
def once(tmp_path_factory, examined):
    base = tmp_path_factory.mktemp("three")
    chaos.small_class(base / "class", 3)
    chaos.finish(base / "class", base / "out")
    return base


@pytest.fixture
def three(once, tmp_path):
    """Three students, graded once."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_what_is_unchanged_is_taken_over_and_no_worker_starts(three, monkeypatch):
    before = chaos.contents(three / "out"), (three / "out" / "results.jsonl").read_bytes()
    monkeypatch.setattr(LocalPool, "submit", lambda *_: pytest.fail("something was submitted to a worker"))
    walls = ("landlock", "seccomp", "limits", "privileges")
    finished = run(read_course(ROOT), GradeRequest(three / "class", three / "out", exercises=("forward",), seed=5, walls=walls), lambda *_: None)
    assert (finished.reported.measures.results, finished.run.reused) == (3, 3)
    assert (chaos.contents(three / "out"), (three / "out" / "results.jsonl").read_bytes()) == before


def test_what_has_changed_is_graded_again_and_nothing_else(three):
    (three / "class" / "s0001" / "forward.py").write_text("def forward_step(x_prev, beta, eps): return 0\n")
    (three / "class" / "s0003").mkdir()
    _, summary = grade(three)
    assert (summary["results"], summary["reused"]) == (4, 2)
    assert [one["student"] for one in chaos.results(three / "out")] == ["s0000", "s0001", "s0002", "s0003"]
    assert chaos.attempts(three / "out") == 5


def test_a_clock_that_was_set_back_between_runs_loses_nothing(three, monkeypatch):
    """Only what is said of time is wrong: the run that began last is the last, and all it has counts."""
    (three / "class" / "s0003").mkdir()
    monkeypatch.setattr("autograder.instructor.grade.datetime", SimpleNamespace(now=lambda zone: datetime(2001, 1, 1, tzinfo=zone)))
    asked = GradeRequest(three / "class", three / "out", exercises=("forward",), seed=5, walls=("landlock", "seccomp", "limits", "privileges"))
    finished = run(read_course(ROOT), asked, lambda *_: None)
    assert (finished.run.name[:4], finished.reported.measures.results, finished.run.reused) == ("2001", 4, 3)
    with Gradebook(three / "out" / "gradebook.sqlite") as book:
        assert book.last_run() == finished.run.name
        assert [one.student for one in book.results(finished.run.name)] == ["s0000", "s0001", "s0002", "s0003"]
    assert [one["student"] for one in chaos.results(three / "out")] == ["s0000", "s0001", "s0002", "s0003"]


def test_a_clock_that_jumps_by_years_during_a_run_changes_only_what_is_said_of_time(three, tmp_path):
    chaos.finish(three / "class", tmp_path / "jumped", program="bench.chaos.jumping")
    with Gradebook(tmp_path / "jumped" / "gradebook.sqlite") as book:
        assert len({one.graded_at[:10] for one in book.results(book.last_run())}) > 1  # it did jump, in the workers too
    assert chaos.everything(tmp_path / "jumped") == chaos.everything(three / "out")


@pytest.mark.parametrize("option", ["--fresh", "--new-round"])
def test_all_is_graded_again_where_that_is_asked_for(three, option):
    assert grade(three, option)[1]["reused"] == 0
    assert chaos.attempts(three / "out") == 6


def test_the_command_says_how_many_are_reused(three):
    done = typed([word for word in chaos.command(three / "class", three / "out") if word != "--json"])
    assert "3 results in " in done.stdout
    assert " s, 3 of them unchanged since an earlier run. Files in " in done.stdout


def test_ctrl_c_between_keeping_and_counting_miscounts_nothing(three, monkeypatch):
    keep = Gradebook.keep

    def then_interrupted(gradebook, run, attempts):
        kept = list(attempts)
        keep(gradebook, run, kept)
        if kept:
            raise KeyboardInterrupt

    monkeypatch.setattr(Gradebook, "keep", then_interrupted)
    done, _ = grade(three, "--fresh")
    assert done.stderr.endswith(f"\nInterrupted: {chaos.attempts(three / 'out') - 3} of 3 are graded and kept.\n")


def test_the_command_says_how_many_were_run_again_with_more_preloaded(three):
    (three / "class" / "guess" / "12_diffusion").mkdir(parents=True)
    (three / "class" / "guess" / "12_diffusion" / "forward.py").write_text("__import__('tor' + 'ch')\n")
    done = typed([word for word in chaos.command(three / "class", three / "new") if word != "--json"])
    assert " s, 1 of them run again with more preloaded. Files in " in done.stdout


def test_killed_at_random_moments_and_finished_it_equals_the_undisturbed_run(tmp_path, walls, monkeypatch):
    """Three kills here, each a few random moments after some results are on disk; `make chaos` makes forty. Nothing is left behind."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    submissions = chaos.small_class(tmp_path / "class", 12)
    chaos.finish(submissions, tmp_path / "calm")
    moments, out = random.Random(4), tmp_path / "out"
    with adopting() as before:
        for graded in (1, 4, 8):
            chaos.disturbed(submissions, out, chaos.after(out, graded, moments.uniform(0, 0.1)))
        summary = chaos.finish(submissions, out)
        demand_no_child(before)
    demand_no_scratch(tmp_path / "scratch")
    assert (summary["results"], summary["reused"] > 0) == (12, True)
    assert chaos.everything(out) == chaos.everything(tmp_path / "calm")


@pytest.fixture(scope="module")
def calm(tmp_path_factory, walls):
    """Twelve students, graded with nothing in the way."""
    base = tmp_path_factory.mktemp("calm")
    chaos.finish(workers.mixed_class(base / "class", 12, "numpy"), base / "out")
    return base


@pytest.mark.parametrize("what", ["worker killed", "worker out of memory", "guest killed", "fork server killed"])
def test_a_part_struck_in_mid_run_changes_no_result(calm, tmp_path, monkeypatch, what):
    """Whatever dies, the run ends; a result equals the undisturbed one or is a fault of ours, which the next run judges."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    hit = []

    def act(run):
        if not hit and chaos.attempts(tmp_path / "out") >= 2 and workers.strike(run, what, random.Random(1)):
            hit.append(run)

    for _ in range(20):
        if hit:
            break
        shutil.rmtree(tmp_path / "out", ignore_errors=True)  # a run that was over before it was struck says nothing
        with adopting() as before:
            told = workers.struck(calm / "class", tmp_path / "out", act)
            demand_no_child(before)
    assert (hit != [], "Traceback" in told, workers.demand_equal(tmp_path / "out", calm / "out")) == (True, False, 0)
    demand_no_scratch(tmp_path / "scratch")
    assert chaos.everything(tmp_path / "out") == chaos.everything(calm / "out")


def test_a_fault_of_ours_is_told_at_the_end_and_never_taken_over(tmp_path, monkeypatch, walls, capsys):
    """Every guest fails to open, so nothing can be judged; the next run judges it."""
    chaos.small_class(tmp_path / "class", 1)
    boot = (
        "import sys\nfrom autograder.instructor import pool\nfrom autograder.sandbox.servers import Sandbox\nfrom autograder.course.errors import SandboxFault\n"
        "def broken(self, profile): raise SandboxFault('no guest can be opened')\n"
        "def strike(): Sandbox.open = broken\n"
        "if __name__ == '__main__':\n"
        "    pool._BOOT = pool._BOOT.replace('from autograder', 'from broken import strike; strike(); from autograder', 1)\n"
        "    from autograder.cli.main import main\n    sys.exit(main())\n"
    )
    (tmp_path / "broken.py").write_text(boot)
    command = [sys.executable, "broken.py", "--course", str(ROOT), *chaos.command(tmp_path / "class", tmp_path / "out")[3:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"})
    told = "walls: landlock, seccomp, limits, privileges\nnot judged: s0000, forward: no guest can be opened\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert json.loads(done.stdout)["statuses"]["not_judged"] == 1
    done, summary = grade(tmp_path)
    assert (done.exit_code, summary["reused"], summary["statuses"]["graded"]) == (0, 0, 1)


def test_a_full_disk_is_one_line_and_loses_nothing(three):
    """A gradebook that may not grow past its size stands for a disk with no room; status 3, and the next run goes on."""
    for number in range(3, 60):
        (three / "class" / f"s{number:04d}").mkdir()
    boot = (
        "from autograder.instructor import gradebook\nreal = gradebook.Gradebook.__init__\n"
        "def full(self, path):\n    real(self, path)\n    pages = self._db.execute('PRAGMA page_count').fetchone()[0]\n"
        "    self._db.execute(f'PRAGMA max_page_count = {pages}')\n"
        "gradebook.Gradebook.__init__ = full\nfrom autograder.cli.main import main\nmain()\n"
    )
    command = [sys.executable, "-c", boot, *chaos.command(three / "class", three / "out")[3:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3
    line = f"{three}/out/gradebook.sqlite: database or disk is full\n  fix: free some disk space and run the command again: it continues where it stopped\n"
    assert done.stderr == "walls: landlock, seccomp, limits, privileges\n" + line
    assert chaos.attempts(three / "out") >= 3
    assert grade(three)[1]["results"] == 60
    assert chaos.attempts(three / "out") == 60


def test_two_commands_never_grade_into_one_folder_at_once(tmp_path):
    with exclusive_lock(tmp_path), pytest.raises(UsageError) as refused, exclusive_lock(tmp_path):
        pass
    assert str(refused.value) == f"{tmp_path}: another command is using this folder\n  fix: wait until it is done, or choose another folder"
    with exclusive_lock(tmp_path):
        pass


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "no space left on device"), (errno.EDQUOT, "disk quota exceeded")])
def test_a_file_that_cannot_be_written_is_told_with_its_name(tmp_path, number, words):
    with pytest.raises(StoreFault) as fault, exclusive_lock(tmp_path):
        raise OSError(number, "", str(tmp_path / "grades.csv.new"))
    assert str(fault.value) == f"{tmp_path}/grades.csv.new: {words}\n  fix: free some disk space and run the command again: it continues where it stopped"


def test_other_trouble_with_files_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), exclusive_lock(tmp_path):
        (tmp_path / "nowhere").read_bytes()


# ---- the gradebook as journal


def test_attempts_are_kept_all_or_nothing(tmp_path):
    with Gradebook(tmp_path / "g.sqlite") as book:
        with pytest.raises(SandboxFault):
            book.keep("run", (Kept(result(name)) if name != "c" else fail() for name in "abc"))
        assert list(book.results("run")) == []
        book.keep("run", [Kept(result("a"))])
        assert [one.student for one in book.results("run")] == ["a"]


def fail():
    raise SandboxFault("in the middle")


def test_the_last_run_is_the_one_that_began_last_even_if_it_only_took_over(tmp_path):
    one = Submission("Ada", "12_diffusion", "forward", "forward.py", b"", "0", "present", handed_in=HandedIn(late=True))
    with Gradebook(tmp_path / "g.sqlite") as book:
        book.begin("first", {})
        book.keep("first", [Kept(result(), key="k")])
        book.begin("second", {})
        assert book.take("second", one, "k") == result()
        assert book.take("second", one, "another") is None
        book.keep("second", [])
        assert (book.last_run(), list(book.results("second"))) == ("second", [result()])
        assert [attempt.handed_in.late for [attempt] in book.attempts("second")] == [True]
        assert [attempt.handed_in.late for [attempt] in book.attempts("first")] == [None]


def test_what_a_run_was_asked_can_be_read_with_its_paths(tmp_path):
    asked = GradeRequest(tmp_path / "class", tmp_path / "out", exercises=("forward",))
    with Gradebook(tmp_path / "g.sqlite") as book:
        book.begin("run", asked)
        assert book.request("run", GradeRequest) == asked
