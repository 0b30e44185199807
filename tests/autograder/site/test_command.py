"""`course serve` and `course site` as they are typed."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

from autograder.workspace.starting import start
from tests.autograder.site.test_guard import ask


def serve(folder, *more):
    """Start the command in a folder; give the process and what it printed up to its last line."""
    command = [sys.executable, "-m", "autograder", "serve", *more]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "Ctrl-C ends it.\n":
            break
    printed = "".join(lines)
    assert ask(re.search(r"http\S+", printed)[0] + "static/site.css")[0] == 200  # it answers by now
    return process, printed


def end(process):
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    return process.returncode


def test_it_prints_what_readme_shows_and_ctrl_c_ends_it(root, site, tmp_path):
    start(tmp_path / "work", root, site.desk.lesson)
    process, printed = serve(tmp_path / "work")
    shown = re.search(r"```text\n\$ course serve\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)[1]
    pattern = re.escape(shown).replace(re.escape("..."), r"[\w-]{24}").replace("8012", r"\d+")
    assert re.fullmatch(pattern, printed), printed
    address = re.search(r"http\S+", printed)[0]
    with urllib.request.urlopen(address + "index.html", timeout=10) as answer:
        assert b"Why a third family" in answer.read()
    assert end(process) == 0


def test_an_open_page_does_not_keep_it_from_ending(root, site, tmp_path):
    start(tmp_path / "work", root, site.desk.lesson)
    process, printed = serve(tmp_path / "work")
    with urllib.request.urlopen(re.search(r"http\S+", printed)[0] + "exercises-events", timeout=10) as answer:
        assert answer.readline() == b"event: changed\n"
        assert end(process) == 0


def test_outside_a_workspace_it_says_that_nothing_is_remembered(root, tmp_path):
    process, printed = serve(tmp_path)
    assert printed.splitlines()[1:] == ["This is no workspace, so what you do is not remembered: `course start` makes one.", "Ctrl-C ends it."]
    assert end(process) == 0


def test_two_terminals_get_two_ports_and_a_port_that_is_taken_is_refused(root, tmp_path):
    first, printed = serve(tmp_path)
    port = re.search(r":(\d+)/", printed)[1]
    second, again = serve(tmp_path)
    assert re.search(r":(\d+)/", again)[1] != port
    command = [sys.executable, "-m", "autograder", "serve", "--port", port]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, f"port {port} is taken\n  fix: leave --port out, and a free one is found\n")
    assert [end(first), end(second)] == [0, 0]



def test_the_site_as_files_is_written(root, tmp_path):
    done = subprocess.run([sys.executable, "-m", "autograder", "site", "--out", tmp_path / "out"], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert all((tmp_path / "out" / name).is_file() for name in ("index.html", "static/site.js", "widgets/sampler.js"))
