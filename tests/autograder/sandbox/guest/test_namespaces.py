"""A root of read-only binds: what is in it, that nothing of it can be written, and that it is entered as root and as an ordinary user."""

import json
import os

import pytest

from autograder.sandbox.guest import namespaces, walls

STRANGER = 61999  # a user id that nobody has


def inside(act, read, list_only=(), user=None):
    """Return what `act` returns in a child of a process that entered the namespaces, or what kept it from them."""
    receive, send = os.pipe()
    server = os.fork()
    if server == 0:
        try:
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
                walls._prctl(4, 1)  # PR_SET_DUMPABLE: as for a process that was started by this user
            try:
                namespaces.enter(read, list_only, walls.die_with)
            except OSError as error:
                os.write(send, json.dumps({"fault": error.strerror}).encode())
                os._exit(0)
            guest = os.fork()
            if guest == 0:
                os.write(send, json.dumps(act()).encode())
                os._exit(0)
            os.waitpid(guest, 0)
        finally:
            os._exit(0)
    os.close(send)
    os.waitpid(server, 0)
    with open(receive, "rb") as file:
        return json.loads(file.read())


@pytest.fixture
def tree(tmp_path):
    """A folder with a file and a link to elsewhere, and a file beside it."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "inside.txt").write_text("inside")
    (tmp_path / "beside.txt").write_text("beside")
    (tmp_path / "given" / "out.txt").symlink_to(tmp_path / "beside.txt")
    (tmp_path / "linked").symlink_to("given")
    return tmp_path


def tried(act):
    try:
        return act()
    except OSError as error:
        return type(error).__name__


@pytest.mark.usefixtures("namespaces")
def test_the_root_holds_what_is_given_and_nothing_else(tree):
    """A file and a folder are there, also through a link of that name; what lies beside them, above them or behind a link is not."""

    def act():
        walls._clear_capabilities()  # as in a guest: without root's power over modes
        return {
            "file": (tree / "given" / "inside.txt").read_text(),
            "linked": (tree / "linked" / "inside.txt").read_text(),
            "behind a link": tried((tree / "given" / "out.txt").read_text),
            "beside": tried((tree / "beside.txt").read_text),
            "above": tried(lambda: os.listdir(tree)),
            "listed": os.listdir(tree / "listed"),
            "proc": os.path.exists("/proc"),
            "process": os.getpid() < 10,
        }

    assert inside(act, [str(tree / "given"), str(tree / "linked")], [str(tree / "listed")]) == {
        "file": "inside", "linked": "inside", "behind a link": "FileNotFoundError", "beside": "FileNotFoundError",
        "above": "PermissionError", "listed": [], "proc": False, "process": True,
    }  # fmt: skip


@pytest.mark.usefixtures("namespaces")
def test_a_path_is_there_under_its_own_name_too_and_may_be_given_twice(tree):
    """Given by a link, a folder is also there by its own name; what lies in it may be given besides."""

    def act():
        return [(tree / name / "inside.txt").read_text() for name in ("linked", "given")]

    linked = str(tree / "linked")
    assert inside(act, [linked, linked, str(tree / "given" / "inside.txt")], [linked, str(tree / "given")]) == ["inside", "inside"]


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("user", [None, STRANGER], ids=["this user", "another"])
def test_nothing_can_be_written_and_nobody_reached_by_this_user_or_another(user):
    """An ordinary user enters a user namespace first, where that is allowed."""
    if user and os.geteuid() != 0:
        pytest.skip("ONLY ROOT CAN BECOME ANOTHER USER")
    given, outside = "/usr/lib", os.getpid()

    def act():
        return [
            tried(lambda: os.open("/new", os.O_CREAT | os.O_WRONLY)) == "OSError",
            tried(lambda: os.open(given + "/new", os.O_CREAT | os.O_WRONLY)) in ("OSError", "PermissionError"),
            tried(lambda: os.chmod(given, 0o777)) in ("OSError", "PermissionError"),
            tried(lambda: os.kill(outside, 0)),
            os.getppid(),
            os.path.isdir(given),
        ]

    assert inside(act, [given], user=user) == [True, True, True, "ProcessLookupError", 0, True]


@pytest.mark.usefixtures("namespaces")
def test_what_cannot_be_entered_says_which_step_failed(monkeypatch):
    monkeypatch.setattr(namespaces, "ROOT", "/nowhere")
    assert inside(lambda: 0, ["/usr"]) == {"fault": "mount: No such file or directory"}
