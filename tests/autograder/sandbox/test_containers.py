"""The walls stand under what container runtimes take from a process by default, as root and as a user who can gain no privilege."""

import json
import os
import subprocess
import sys

import pytest


def course(runtime, root, *words):
    command = [sys.executable, "-m", "tests.containers", runtime, sys.executable, "-m", "autograder", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def doctor(runtime, root):
    done = course(runtime, root, "doctor", "--json")
    return done.returncode, json.loads(done.stdout)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("runtime", ["docker", "podman", "user"])
def test_every_property_stands_under_the_defaults_of_a_runtime(runtime, root):
    status, told = doctor(runtime, root)
    assert (status, told["safe"]) == (0, True)
    assert set(told["walls"]) == {"landlock", "seccomp", "limits", "privileges"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has powers to lose")
@pytest.mark.parametrize(("runtime", "powers"), [("docker", True), ("podman", True), ("user", False)])
def test_guests_become_another_user_only_where_root_has_the_power_for_it(runtime, powers, root):
    """Asked directly: where Python lies in root's own folder, no other user could read it, and guests keep theirs anyway."""
    asks = "from autograder.sandbox.servers import _has_powers; print(_has_powers())"
    assert subprocess.check_output([sys.executable, "-m", "tests.containers", runtime, sys.executable, "-c", asks], cwd=root, text=True) == f"{powers}\n"


@pytest.mark.usefixtures("walls")
def test_a_profile_that_forbids_landlock_is_told_as_what_it_is(root):
    """Such a profile forbids namespaces as well, so nothing is graded there."""
    status, told = doctor("docker:old", root)
    assert (status, told["safe"], told["walls"]["seccomp"]) == (1, False, "ok")
    assert told["walls"]["landlock"] == "a filter around this process forbids it: in a container, take a newer runtime or another seccomp profile"
    assert told["walls"]["namespaces"] == "unshare: Operation not permitted"


@pytest.mark.usefixtures("namespaces")
def test_a_class_is_graded_on_a_kernel_without_landlock(root, tmp_path):
    """Every process sees such a kernel; the command, its workers and their servers find namespaces by themselves, and say so."""
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "forward.py").write_text("def forward_step(x_prev, beta, eps):\n    return (1 - beta) ** 0.5 * x_prev + beta ** 0.5 * eps\n")
    done = course("none:old", root, "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--exercise", "forward", "--json")
    assert (done.returncode, done.stderr) == (0, "walls: namespaces, seccomp, limits, privileges\n")
    assert json.loads(done.stdout)["walls"] == ["namespaces", "seccomp", "limits", "privileges"]
    assert json.loads((tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8"))["score"] > 0


@pytest.mark.usefixtures("namespaces")
def test_the_doctor_says_what_takes_landlocks_place(root):
    done = course("none:old", root, "doctor")
    assert done.returncode == 0, done.stdout
    assert "\nnamespaces  ok, in place of landlock (this kernel has none: Linux 5.13 or later does)\n" in done.stdout
