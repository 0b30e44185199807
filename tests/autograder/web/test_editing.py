"""Files that are read, saved and checked over HTTP: what a page may do, and what a forged request, a wrong name or a link gets."""

import json
import os
import stat

import pytest

from autograder.course import system
from autograder.learner import edit
from autograder.learner.check import WITHOUT_WALLS
from autograder.learner.start import start
from autograder.learner.workspace import digest
from autograder.web import editing
from autograder.web.pages import plain_text
from autograder.web.server import NO_TOKEN
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import FOREIGN, ask
from tests.autograder.web.test_work import WRONG

JSON = {"Content_Type": "application/json"}


@pytest.fixture
def work(root, site, tmp_path):
    """A workspace of its own with a site before it."""
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        yield served


def send(site, where, body, **headers):
    status, _, text = ask(site.address + where, method="POST", body=json.dumps(body).encode(), **{**JSON, **headers})
    return status, json.loads(text)


def read(site, exercise="forward"):
    status, _, text = ask(site.address + f"file-{exercise}")
    return status, json.loads(text)


def save(site, text, exercise="forward", **more):
    return send(site, f"file-{exercise}", {"text": text, "before": read(site, exercise)[1].get("sha256", ""), **more})


# ---- reading and saving


def test_a_file_is_read_and_saved_whole_with_its_permissions(work):
    path = work.folder / "forward.py"
    path.chmod(0o640)
    assert read(work) == (200, {"name": "forward.py", "text": path.read_text(), "sha256": digest(path.read_bytes())})
    assert save(work, WRONG) == (200, {"saved": digest(WRONG.encode())})
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (WRONG, 0o640)
    assert [one.name for one in work.folder.iterdir() if one.name.startswith("forward")] == ["forward.py"]


@pytest.mark.parametrize("before", [b"a = 1\r\nb = 2\r\n", b"\xef\xbb\xbfa = 1\nb = 2\n"], ids=["CRLF", "BOM"])
def test_line_ends_and_a_byte_order_mark_stay_as_they_were(work, before):
    (work.folder / "forward.py").write_bytes(before)
    assert read(work)[1]["text"] == "a = 1\nb = 2\n"
    assert save(work, "a = 1\nb = 3\n")[0] == 200
    assert (work.folder / "forward.py").read_bytes() == before.replace(b"2", b"3")


def test_a_file_that_is_missing_is_the_starter_until_it_is_saved(work):
    starter = (work.folder / "loss.py").read_text()
    (work.folder / "loss.py").unlink()
    assert read(work, "loss")[1] == {"name": "loss.py", "text": starter, "sha256": ""}
    assert not (work.folder / "loss.py").exists()
    assert save(work, "# mine\n", "loss")[0] == 200
    assert (work.folder / "loss.py").read_text() == "# mine\n"


def test_what_was_saved_elsewhere_meanwhile_is_never_written_over(work):
    path, before = work.folder / "forward.py", read(work)[1]["sha256"]
    path.write_text("# theirs\n")
    answer = send(work, "file-forward", {"text": "# mine\n", "before": before})
    assert answer == (200, {"changed": {"name": "forward.py", "text": "# theirs\n", "sha256": digest(b"# theirs\n")}})
    assert path.read_text() == "# theirs\n"


def test_a_save_during_ours_wins(work, monkeypatch):
    """Between our look at the file and its replacement another program writes it."""
    path, looked = work.folder / "forward.py", edit._bytes
    looks = []

    def look(one):
        looks.append(one)
        if len(looks) == 2:
            path.write_text("# theirs\n")
        return looked(one)

    before = read(work)[1]["sha256"]
    monkeypatch.setattr(edit, "_bytes", look)
    assert send(work, "file-forward", {"text": "# mine\n", "before": before})[1]["changed"]["text"] == "# theirs\n"
    assert path.read_text() == "# theirs\n"
    assert not path.with_name("forward.py.new").exists()


def test_of_a_version_that_one_decides_against_a_copy_is_kept(work):
    (work.folder / "forward.py").write_text("# theirs\n")
    assert save(work, "# mine\n", keep=True)[0] == 200
    (kept,) = (work.folder / ".course" / "kept").iterdir()
    assert (kept.read_text(), (work.folder / "forward.py").read_text()) == ("# theirs\n", "# mine\n")


# ---- what is refused


@pytest.mark.parametrize(("headers", "words"), FOREIGN)
@pytest.mark.parametrize("where", ["file-forward", "check-forward", "hint-forward"])
def test_a_request_of_another_site_changes_and_runs_nothing(work, where, headers, words):
    before = (work.folder / "forward.py").read_bytes()
    body = {"file-forward": {"text": "# forged\n", "before": digest(before)}}.get(where, {})
    status, _, text = ask(work.address + where, method="POST", body=json.dumps(body).encode(), **{**JSON, **headers})
    assert (status, text) == (403, words)
    assert (work.folder / "forward.py").read_bytes() == before
    with work.session.state() as state:
        assert [*state.events("check"), *state.events("hint")] == []


@pytest.mark.parametrize("where", ["file-forward", "check-forward", "hint-forward"])
def test_without_the_token_nothing_is_read_saved_or_run(work, where):
    for method, body in (("GET", None), ("POST", b"{}")):
        for token in ("", "/wrong-token"):
            assert ask(work.address, f"{token}/{where}", method=method, body=body, **JSON)[::2] == (403, NO_TOKEN)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_any_page_can_send_is_refused(work, kind):
    """A form cannot send JSON as JSON: this holds also where a browser tells neither the origin nor the site."""
    before = (work.folder / "forward.py").read_bytes()
    status, _ = send(work, "file-forward", {"text": "# forged\n", "before": digest(before)}, Content_Type=kind)
    assert status == 415
    assert (work.folder / "forward.py").read_bytes() == before


OUTSIDE = ["..%2fsecret", "%2e%2e%2fsecret", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "forward.py", ".course", "secret", "..%5csecret", "%00"]


@pytest.mark.parametrize("exercise", OUTSIDE)
def test_no_name_leads_out_of_the_workspace_or_to_another_file_in_it(work, exercise):
    secrets = [folder / f"secret{ending}" for folder in (work.folder, work.folder.parent) for ending in ("", ".py")]
    for path in secrets:
        path.write_text("a secret")
    before = {path: path.stat().st_mtime_ns for path in (work.folder.parent).rglob("*") if path.is_file()}
    for where, body in (("file", {"text": "# forged\n", "before": digest(b"a secret")}), ("check", {}), ("hint", {})):
        assert send_raw(work, f"{where}-{exercise}", body) in (404, 409)
    status, _, text = ask(work.address + f"file-{exercise}")
    assert status in (404, 409)
    assert "a secret" not in text
    changed = {path for path in (work.folder.parent).rglob("*") if path.is_file() and path.stat().st_mtime_ns != before.get(path)}
    assert {path.name.partition(".sqlite")[0] for path in changed} <= {"state"}


def send_raw(site, where, body):
    return ask(site.address + where, method="POST", body=json.dumps(body).encode(), **JSON)[0]


def test_a_link_is_neither_read_nor_written_through(work, tmp_path):
    outside, path = tmp_path / "outside.py", work.folder / "forward.py"
    outside.write_text("a secret")
    path.unlink()
    path.symlink_to(outside)
    words = {"problem": "forward.py is a link, or no file at all: put the file itself into the workspace."}
    assert read(work) == (409, words)
    for before in ("", digest(b"a secret")):
        assert send(work, "file-forward", {"text": "# forged\n", "before": before}) == (409, words)
    assert (outside.read_text(), path.is_symlink()) == ("a secret", True)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_opened(work, make):
    (work.folder / "forward.py").unlink()
    make(work.folder / "forward.py")
    assert read(work)[0] == 409
    assert send(work, "file-forward", {"text": "", "before": ""})[0] == 409


def test_what_is_too_large_is_not_read(work):
    before = (work.folder / "forward.py").read_bytes()
    assert send_raw(work, "file-forward", {"text": "a" * editing.LARGEST, "before": digest(before)}) == 413
    words = "forward.py would be larger than 256 KiB: edit it in an editor of your own."
    assert save(work, "a" * (edit.LARGEST + 1)) == (409, {"problem": words})
    assert (work.folder / "forward.py").read_bytes() == before
    (work.folder / "forward.py").write_bytes(b"#" * (edit.LARGEST + 1))
    assert read(work)[0] == 409


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b'{"text": 1, "before": ""}', b'{"text": "", "before": "", "path": "/etc/passwd"}', b'{"text": "\\ud800", "before": ""}'])
def test_what_cannot_be_understood_changes_nothing(work, body):
    before = (work.folder / "forward.py").read_bytes()
    assert ask(work.address + "file-forward", method="POST", body=body, **JSON)[0] == 400
    assert (work.folder / "forward.py").read_bytes() == before


def test_text_that_is_not_utf_8_and_a_notebook_are_for_other_editors(work):
    (work.folder / "forward.py").write_bytes(b"# \xe9\n")
    assert read(work) == (409, {"problem": "forward.py is not UTF-8: edit it in an editor of your own, and save it as UTF-8."})
    (work.folder / "forward.py").unlink()
    (work.folder / "forward.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": WRONG, "metadata": {}, "outputs": []}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    assert read(work) == (409, {"problem": "`forward` is written in `forward.ipynb`: edit a notebook in Jupyter."})
    assert "edit it in Jupyter" in ask(work.address + "exercise-forward.html")[2]


def test_without_a_workspace_there_is_nothing_to_edit_or_run(root, tmp_path):
    with serving(root, tmp_path) as served:
        assert "data-do" not in ask(served.address + "exercise-forward.html")[2]
        assert "def forward_step" in ask(served.address + "exercise-forward.html")[2].replace("</span>", "").replace('<span class="nf">', "").replace('<span class="k">', "").replace('<span class="w">', "")
        for where in ("file-forward", "check-forward", "hint-forward"):
            assert send_raw(served, where, {}) == 404


# ---- checking


@pytest.mark.usefixtures("walls")
def test_a_check_on_the_page_is_that_of_the_terminal_and_is_remembered(work):
    save(work, WRONG)
    status, answer = send(work, "check-forward", {})
    assert (status, answer["passed"], answer["checks"], answer["due"]) == (200, 0, 14, ["noise-scale"])
    with work.session.state() as state:
        (event,) = state.events("check", "forward")
    assert event.facts["misconceptions"] == ["beta_as_standard_deviation"]
    text = ask(work.address + "exercise-forward.html", X_Part="found")[2]
    assert "You scaled the noise by β." in plain_text(text)
    for words in ("from forward import *; print(forward_step(0.8, 0.1, -0.3))", 'href="lesson.html#one-step-by-hand"', "Card: "):
        assert words in text


def test_without_walls_nothing_runs_before_the_reader_agreed(work, monkeypatch):
    monkeypatch.setattr(system, "LINUX", False)
    ran = work.folder / "ran"
    save(work, f"open({str(ran)!r}, 'w')\n{WRONG}")
    words = WITHOUT_WALLS.format(why="as this system has none")
    for _ in range(2):
        assert send(work, "check-forward", {}) == (200, {"without_walls": words})
        assert not ran.exists()
    assert send(work, "check-forward", {"without_walls": True})[1]["checks"] == 14
    assert ran.exists()


@pytest.mark.usefixtures("walls")
def test_a_hint_opens_for_each_attempt(work):
    assert send(work, "hint-forward", {})[1]["hints"]["hints"] == []
    save(work, WRONG)
    send(work, "check-forward", {})
    opened = send(work, "hint-forward", {})[1]["hints"]
    assert (opened["function"], len(opened["hints"]), opened["of"]) == ("linear_betas", 1, 2)
    assert send(work, "hint-practice", {})[0] == 409
