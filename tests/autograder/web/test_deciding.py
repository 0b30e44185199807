"""What a person decides on the page: the same as by the command, and nothing by a forged request."""

import re
import threading
from html import unescape
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from autograder.course.loading import read_course
from autograder.course.model import CheckResult, Result
from autograder.course.policy import Policy
from autograder.instructor.decide import decide
from autograder.instructor.grade import GradeRequest, exclusive_lock, open_graded
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules
from autograder.instructor.outputs import write_files, write_report
from autograder.instructor.roster import file_slug
from autograder.web.pages import FORGED, sentence
from autograder.web.server import NO_TOKEN
from autograder.web.written import Report
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_command import end, serve
from tests.autograder.web.test_guard import FOREIGN, ask
from tests.programs import PATIENCE

WHERE = f"decide.html?{urlencode({'name': 'Zoë'})}"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
GIVEN = {"target": "forward.one", "kind": "points", "points": "1,5", "reason": "The idea is <b>right</b>."}


@pytest.fixture
def out(root, tmp_path):
    out = tmp_path / "out"
    check = CheckResult("one", "One", 0, 2, "failed", "wrong", "`f(1)` gave 2.", "beta_as_standard_deviation", "one-step-by-hand", "noise-scale")
    out.mkdir()
    with Gradebook(out / "gradebook.sqlite") as book:
        book.begin("r1", GradeRequest(out / "submissions", out))
        book.keep("r1", [Kept(Result(name, "12_diffusion", "forward", "graded", 3, 20, (check,), "", None, "r", "2026-11-01T00:00:00+00:00", "1")) for name in ("Zoë", "Bo")])
        write_files(out, read_course(root), book, "r1", read_rules(out, book, Policy()))
    return out


@pytest.fixture
def site(root, out, tmp_path):
    with serving(root, tmp_path, grades_in=out) as served:
        yield served


def secret(site):
    return re.search(r'name="secret" value="([^"]+)"', ask(site.address + WHERE)[2])[1]


def send(site, where=WHERE, *, sealed=True, headers=None, **fields):
    body = urlencode(({"secret": secret(site)} if sealed else {}) | fields).encode()
    return ask(site.address + where, method="POST", body=body, **(FORM | (headers or {})))


def decided(out, name="Zoë"):
    with Gradebook(out / "gradebook.sqlite") as book:
        return [(one.exercise, one.check, one.kind, one.points, one.reason, one.withdrawn) for one in book.overrides(name)]


def test_points_are_given_with_a_reason_and_the_student_reads_both(site, out):
    status, _, text = send(site, **GIVEN)
    assert status == 200
    assert "“One” of forward now earns 1.5 of 2. forward: 3 before, 4.5 now." in text
    assert "<b>right</b>" not in text
    assert "The idea is &lt;b&gt;right&lt;/b&gt;." in text
    assert decided(out) == [("forward", "one", "points", 1.5, "The idea is <b>right</b>.", False)]
    feedback = (out / "feedback" / f"{file_slug('Zoë')}.html").read_text()
    assert "Your instructor gave 1.5 instead of 0" in feedback
    assert "counts 4.5" in ask(site.address + "grades.html")[2]
    assert decided(out, "Bo") == []


@pytest.mark.parametrize(("where", "chosen"), [("", []), ("&target=forward", ["points"])])
def test_no_decision_is_chosen_before_it_is_known_what_for(site, where, chosen):
    assert re.findall(r'name="kind" value="(.*?)" required checked', ask(site.address + WHERE + where)[2]) == chosen


def test_what_was_decided_is_withdrawn(site, out):
    send(site, **GIVEN)
    assert "what was decided for “One” of forward is withdrawn." in send(site, target="forward.one", kind="", reason="Too generous.")[2]
    assert [one[-1] for one in decided(out)] == [False, True]
    assert "Decided so far" not in ask(site.address + WHERE)[2]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"points": "3"}, "3 points for “One” of forward, which has 2. Give 0 to 2 points."),
        ({"points": "nan"}, "`nan` is not a number. Write the points, like 1.5."),
        ({"points": ""}, "There are no points. Write the points, like 1.5."),
        ({"reason": "  "}, "The reason is empty."),
        ({"kind": "dropped"}, "Nothing is chosen. Choose what to decide."),
        ({"kind": "everything"}, "Nothing is chosen. Choose what to decide."),
        ({"target": ""}, "Points are for one exercise or check, not for everything. Choose which."),
        ({"target": "forward.two"}, "No check `forward.two` was graded for this student."),
        ({"target": "../x"}, "No check `../x` was graded for this student."),
    ],
)
def test_what_cannot_be_decided_is_said_and_what_was_written_stays(site, out, changed, words):
    status, _, text = send(site, **(GIVEN | changed))
    assert status == 200
    assert "Nothing was decided:" in text
    assert words in unescape(re.sub("</?code>", "`", text))
    assert f'value="{(GIVEN | changed)["reason"].replace("<", "&lt;").replace(">", "&gt;")}"' in text
    assert decided(out) == []


@pytest.mark.parametrize("wrong", ["", "a" * 24, None])
def test_a_form_without_the_pages_secret_decides_nothing(site, out, wrong):
    """Even one that knows the address, and comes from no other site."""
    more = {} if wrong is None else {"secret": wrong}
    assert sentence(FORGED) in send(site, sealed=False, **GIVEN, **more)[2]
    assert decided(out) == []


@pytest.mark.parametrize(("headers", "words"), FOREIGN)
def test_a_form_of_another_site_decides_nothing_whatever_it_knows(site, out, headers, words):
    assert send(site, headers=headers, **GIVEN)[::2] == (403, words)
    assert decided(out) == []


def test_without_the_token_or_by_an_address_alone_nothing_is_decided(site, out):
    body = urlencode(GIVEN | {"secret": secret(site)}).encode()
    assert ask(site.address, f"/{WHERE}", method="POST", body=body, **FORM)[::2] == (403, NO_TOKEN)
    assert ask(f"{site.address}{WHERE}&{body.decode()}")[0] == 200
    assert decided(out) == []


def test_a_form_that_is_too_large_and_a_student_who_is_not_there_are_refused(site, out):
    assert send(site, **(GIVEN | {"reason": "a" * 70_000}))[0] == 413
    status, _, text = send(site, "decide.html?name=..%2fBo", **GIVEN)
    assert (status, "nobody" in text.lower()) == (404, True)
    assert [*decided(out), *decided(out, "Bo")] == []


def test_grades_are_decided_only_where_they_were_asked_for(root, tmp_path):
    with serving(root, tmp_path) as served:
        assert ask(served.address + WHERE)[0] == 404


def test_a_page_that_was_written_leads_back_and_into_the_lesson(site):
    query = "name=Zo%C3%AB"
    for name in ("report.html", f"feedback.html?{query}", f"student.html?{query}", f"decide.html?{query}"):
        text = ask(site.address + name)[2]
        assert '<a href="grades.html">← Grades</a>' in text
        if name[:6] in ("report", "feedba"):
            assert 'Reread: <a href="lesson.html#one-step-by-hand">One step by hand</a>' in text
        if name.startswith("feedback"):
            assert re.search(r'Card: <a href="cards.html">.+</a>', text)
        if "?" in name:
            links = re.findall(rf'<a href="(\w+).html\?{query}"( aria-current="page")?>', text)[:3]
            assert [(each, bool(here)) for each, here in links] == [(each, name.startswith(each)) for each in ("student", "feedback", "decide")]


# ---- the report


def written(out):
    """Return the score in a report's row of Zoë."""
    return re.search(r"Zoë</a><td class=n>[\d.]+<td class=n>([\d.]+)", (out / "report.html").read_text(encoding="utf-8"))[1]


def overridden(root, out, reason="By the command."):
    """Decide in another process, as it were, that ends before the report is written."""
    with open_graded(out) as (book, run):
        decide(out, read_course(root), book, run, read_rules(out, book, Policy()), "Zoë", "forward.one", "points", 2, reason)


def test_after_a_decision_the_report_is_written_without_a_command(site, out):
    assert written(out) == "3"
    assert "The report is being written." in send(site, **GIVEN)[2].replace("and the", "The")
    assert "does not show" not in ask(site.address + "report.html")[2]  # waits until it is there
    assert written(out) == "4.5"
    assert "does not show" not in ask(site.address + "grades.html")[2]


def test_a_report_that_is_behind_says_by_how_many_decisions_and_is_written_on_demand(site, root, out):
    for count, words in ((1, "your last decision yet"), (2, "your last 2 decisions yet")):
        overridden(root, out, f"Reason {count}.")
        for name in ("grades.html", "report.html"):
            assert f"report.html does not show {words}" in ask(site.address + name)[2]
    before = (out / "report.html").read_bytes()
    for forged in ({}, {"secret": "a" * 24}):
        assert sentence(FORGED) in ask(site.address + "report.html", method="POST", body=urlencode(forged).encode(), **FORM)[2]
    assert (out / "report.html").read_bytes() == before
    status, _, text = send(site, "report.html")
    assert (status, "does not show" in text, written(out)) == (200, False, "5")


def test_why_the_report_cannot_be_written_is_said(site, root, out):
    overridden(root, out)
    with exclusive_lock(out):
        text = send(site, "report.html")[2]
    assert "your last decision yet. " in text
    assert "another command is using this folder. Wait until it is done" in text
    assert "Write it now" in text
    assert "does not show" not in send(site, "report.html")[2]


def test_a_decision_waits_for_the_report(root, out, monkeypatch):
    """Both need the folder for themselves, and none is refused because of the other."""
    report, begun, go = Report(out, root), threading.Event(), threading.Event()

    def slowly(*told):
        begun.set()
        assert go.wait(PATIENCE)
        return write_report(*told)

    monkeypatch.setattr("autograder.web.written.write_report", slowly)
    overridden(root, out)
    report.renew()
    assert begun.wait(PATIENCE)
    assert (report.coming, report.behind) == (True, 1)
    assert not report.turn.acquire(blocking=False)
    go.set()
    report.wait()
    assert (report.behind, report.problem, written(out)) == (0, "", "5")


def test_who_ends_the_command_after_a_decision_finds_the_report_written(root, out, tmp_path):
    with serve(root, "--grades", out) as (process, printed):
        address = re.search(r"(http\S+/)grades\.html\n", printed)[1]  # there an instructor begins
        assert "now earns 1.5 of 2." in send(SimpleNamespace(address=address), **GIVEN)[2]
        assert end(process) == 0
    assert written(out) == "4.5"
