"""What a site outside a workspace writes goes with it, or with the next one where it was killed."""

import subprocess
import sys

import pytest

from autograder.web.server import sweep, temporary_folder
from tests.programs import running

SUPERVISOR = "import time\nfrom autograder.web.server import temporary_folder\nwith temporary_folder() as made:\n    print(made, flush=True)\n    time.sleep(600)\n"


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_it_goes_when_it_is_closed(scratch):
    with temporary_folder() as made:
        (made / "state").write_text("one")
        assert [path.parent for path in scratch.rglob("state")] == [made]
    assert list(scratch.iterdir()) == []


def test_what_a_killed_one_left_is_swept_and_what_a_living_one_uses_stays(scratch):
    with running([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE) as process:
        path = process.stdout.readline().strip()
        sweep()
        assert [str(found) for found in scratch.iterdir()] == [path]
    assert [str(found) for found in scratch.iterdir()] == [path]
    sweep()
    assert list(scratch.iterdir()) == []


def test_it_is_swept_by_nobody_in_this_process_either(scratch):
    with temporary_folder() as made:
        sweep()
        assert made.is_dir()


def test_a_link_of_that_name_is_not_followed_and_another_persons_folder_stays(scratch, monkeypatch):
    (scratch / "precious").mkdir()
    (scratch / "course-site-link").symlink_to(scratch / "precious")
    (scratch / "course-site-theirs").mkdir()
    monkeypatch.setattr("autograder.web.server.is_own", lambda path: path.name != "course-site-theirs")
    sweep()
    assert sorted(path.name for path in scratch.iterdir()) == ["course-site-link", "course-site-theirs", "precious"]
