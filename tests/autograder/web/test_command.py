"""`course serve` and `course site` as they are typed."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

from autograder.learner.start import start
from tests.autograder.web.test_guard import ask
from tests.pages import shown
from tests.programs import PATIENCE, running


@contextmanager
def serve(folder, *more):
    """Start the command in a folder; give the process and what it printed up to its last line."""
    command = [sys.executable, "-m", "autograder", "serve", *more]
    options = {"cwd": folder, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {**os.environ, "PYTHONUNBUFFERED": "1"}}
    with running(command, **options) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "Press Ctrl-C to stop.\n":
                break
        printed = "".join(lines)
        assert ask(re.search(r"http\S+/", printed)[0] + "static/site.css")[0] == 200  # it answers by now
        yield process, printed


def end(process):
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "")
    return process.returncode


def test_it_prints_what_the_docs_show_and_ctrl_c_ends_it(root, site, tmp_path):
    start(tmp_path / "work", root, site.session.lesson)
    command, _, printing = shown("docs/learn.md", "In a browser").partition("\n")
    assert command == "$ course serve"
    pattern = re.escape(printing).replace(re.escape("..."), r"[\w-]{24}").replace("8012", r"\d+")
    with serve(tmp_path / "work") as (process, printed):
        assert re.fullmatch(pattern, printed), printed
        address = re.search(r"http\S+", printed)[0]
        with urllib.request.urlopen(address + "index.html", timeout=PATIENCE) as answer:
            assert b"Why a third family" in answer.read()
        assert end(process) == 0


def test_an_open_page_does_not_keep_it_from_ending(root, site, tmp_path):
    start(tmp_path / "work", root, site.session.lesson)
    with serve(tmp_path / "work") as (process, printed):
        address = re.search(r"http\S+", printed)[0]
        with urllib.request.urlopen(address + "exercises-events", timeout=PATIENCE) as answer:
            assert answer.readline() == b"event: changed\n"
            assert end(process) == 0


def test_outside_a_workspace_it_says_that_nothing_is_remembered(root, tmp_path):
    with serve(tmp_path, "--lesson", "12") as (process, printed):
        assert printed.splitlines()[1:] == ["This is not a workspace, so your progress is not saved. Run `course start` to create one.", "Press Ctrl-C to stop."]
        assert end(process) == 0


def test_two_terminals_get_two_ports_and_a_port_that_is_taken_is_refused(root, tmp_path):
    with serve(tmp_path, "--lesson", "12") as (first, printed), serve(tmp_path, "--lesson", "12") as (second, again):
        port = re.search(r":(\d+)/", printed)[1]
        assert re.search(r":(\d+)/", again)[1] != port
        command = [sys.executable, "-m", "autograder", "serve", "--lesson", "12", "--port", port]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stderr) == (2, f"port {port} is taken\n  fix: omit --port to use a free one\n")
        assert [end(first), end(second)] == [0, 0]



def test_the_site_as_files_is_written(root, tmp_path):
    done = subprocess.run([sys.executable, "-m", "autograder", "site", "--out", tmp_path / "out"], cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert all((tmp_path / "out" / name).is_file() for name in ("index.html", "static/site.js", "widgets/sampler.js"))
