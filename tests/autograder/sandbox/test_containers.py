"""The walls stand under what container runtimes take from a process by default, as root and as a user who can gain no privilege."""

import json
import subprocess
import sys

import pytest


def doctor(runtime, root):
    command = [sys.executable, "-m", "tests.containers", runtime, sys.executable, "-m", "autograder", "doctor", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("runtime", ["docker", "podman", "user"])
def test_every_property_stands_under_the_defaults_of_a_runtime(runtime, root):
    status, told = doctor(runtime, root)
    assert (status, told["safe"]) == (0, True)
    assert set(told["walls"]) == {"landlock", "seccomp", "limits", "privileges"}


@pytest.mark.usefixtures("walls")
def test_a_profile_that_forbids_landlock_is_told_as_what_it_is(root):
    """Such a profile forbids namespaces as well, so nothing is graded there."""
    status, told = doctor("docker:old", root)
    assert (status, told["safe"], told["walls"]["seccomp"]) == (1, False, "ok")
    assert told["walls"]["landlock"] == "a filter around this process forbids it: in a container, take a newer runtime or another seccomp profile"
    assert told["walls"]["namespaces"] == "unshare: Operation not permitted"
