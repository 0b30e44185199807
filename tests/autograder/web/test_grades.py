"""The class over HTTP: what a running `course grade` adds is seen, only what was added is read, and no name is markup."""

import re
from functools import partial
from html import unescape
from urllib.parse import urlencode

import msgspec
import pytest

from autograder.course.loading import read_course
from autograder.course.model import CheckResult, HandedIn, Override, Result, Submission
from autograder.course.policy import Policy
from autograder.instructor.grade import GradeRequest
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules, student_grades
from autograder.instructor.measures import measure
from autograder.instructor.outputs import write_files
from autograder.web.class_view import ClassView, View, ticks
from autograder.web.server import POLICY
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask
from tests.autograder.web.test_work import listen
from tests.programs import PATIENCE, wait_for

MISCONCEPTION = CheckResult("one", "One", 0, 2, "failed", "wrong", "No.", "beta_as_standard_deviation")

BEST = partial(Policy, counts="best")
ENDED = {"Aiko": "refused", "Bo": "timed_out", "Cy": "out_of_memory"}


def result(student, score, *, exercise="forward", status="graded", checks=(MISCONCEPTION,), file=None):
    return Result(student, "12_diffusion", exercise, status, score, 20, checks, "", file, "r", "2026-11-01T00:00:00+00:00", "1")


def keep(out, *results, run="r1", **more):
    """Write results down as a run does."""
    out.mkdir(exist_ok=True)
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        if gradebook.last_run() != run:
            gradebook.begin(run, {})
        gradebook.keep(run, [Kept(one, **more) for one in results])


@pytest.fixture
def out(tmp_path):
    keep(tmp_path / "out", result("<img src=x onerror=alert(1)>", 3), result("Zoë", 20))
    return tmp_path / "out"


def view_of(out):
    return ClassView(out / "gradebook.sqlite", ("schedule", "forward"))


def names(found):
    return [one.name for one in found.shown]


def made(found):
    """The mistakes as the page lists them: students by exercise and id."""
    return {(one.exercise, one.id): one.students for one in found.misconceptions}


# ---- what is known of the class


def test_means_and_misconceptions_are_counted_over_what_was_graded(out):
    keep(out, result("Aiko", 0, status="missing", checks=()), result("Aiko", 8, exercise="schedule", checks=()))
    found = view_of(out).look(View())
    assert {name: (one.mean, one.max_score) for name, one in found.exercises.items()} == {"schedule": (8.0, 20), "forward": (11.5, 20)}
    assert list(found.exercises) == ["schedule", "forward"]
    assert made(found) == {("forward", "beta_as_standard_deviation"): 2}
    assert (found.students, dict(found.statuses)) == (3, {"graded": 3, "missing": 1})


def test_a_misconception_leads_to_exactly_those_who_are_counted_for_it(out):
    other = msgspec.structs.replace(MISCONCEPTION, misconception="standard_deviation_as_beta")
    keep(out, result("Aiko", 7, checks=(other,)), result("Bo", 7, checks=(MISCONCEPTION, other)))
    keep(out, result("Cy", 7, exercise="schedule", checks=(other,)))
    found = view_of(out).look(View(find="Standard deviation as beta in forward"))
    assert (names(found), made(found)["forward", "standard_deviation_as_beta"]) == (["Aiko", "Bo"], 2)
    assert names(view_of(out).look(View(find="Standard deviation as beta"))) == ["Aiko", "Bo", "Cy"]
    assert len(names(view_of(out).look(View(find="deviation as beta")))) == 5


def test_a_misconception_is_counted_once_for_a_student_in_an_exercise_however_often_it_was_made(out):
    keep(out, result("Zoë", 0, exercise="schedule", checks=(MISCONCEPTION, MISCONCEPTION)))
    assert list(made(view_of(out).look(View())).items()) == [(("forward", MISCONCEPTION.misconception), 2), (("schedule", MISCONCEPTION.misconception), 1)]


def test_after_a_decision_the_page_has_the_means_and_mistakes_of_the_report(out):
    """Points given and deducted, and a mistake that two exercises share."""
    keep(out, result("Aiko", 7, exercise="schedule"), result("Bo", 0, status="missing", checks=()))
    class_view = view_of(out)
    before = class_view.look(View()).exercises["forward"].mean
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        for kind, points in (("points", 17.5), ("deduction", 1)):
            gradebook.override(Override("Zoë", "12_diffusion", "forward", "", points, "seen", "2026-11-02T00:00:00+00:00", kind))
        rules = read_rules(out, gradebook, Policy())
        reported = measure(student_grades(gradebook, "r1", rules), ("schedule", "forward"))
    found = class_view.look(View())
    assert [(name, one.mean, one.bins, one.statuses) for name, one in found.exercises.items()] == [
        (name, one.mean, one.bins, one.statuses) for name, one in reported.exercises.items()
    ]
    assert (before, found.exercises["forward"].mean) == (11.5, 9.75)
    assert list(made(found).items()) == [((one.exercise, one.id), one.students) for one in reported.by_misconceptions()]


def test_only_what_was_added_is_read(out, monkeypatch):
    class_view, read = view_of(out), []
    add = ClassView._add
    monkeypatch.setattr(ClassView, "_add", lambda self, number, one: (read.append(one.result.student), add(self, number, one)))
    class_view.look(View())
    read.clear()
    keep(out, result("Aiko", 7))
    assert len(class_view.look(View()).shown) == 3
    assert class_view.look(View()).students == 3
    assert read == ["Aiko"]


def test_an_attempt_that_was_handed_in_later_takes_the_others_place(out):
    class_view = view_of(out)
    class_view.look(View())
    keep(out, result("Zoë", 10, checks=()), handed_in=HandedIn(attempt=2))
    keep(out, result("Zoë", 0))  # the first one, graded again
    found = class_view.look(View())
    assert (found.exercises["forward"].mean, made(found), found.students) == (6.5, {("forward", "beta_as_standard_deviation"): 1}, 2)


def test_where_the_best_attempt_counts_it_does_here(out):
    keep(out, result("Zoë", 7), handed_in=HandedIn(2))
    keep(out, result("Aiko", 7), handed_in=HandedIn(1))
    keep(out, result("Aiko", 9, status="not_judged"), result("Aiko", 8), handed_in=HandedIn(2))
    found = ClassView(out / "gradebook.sqlite", ("forward",), BEST).look(View(find="o"))
    assert {one.name: one.marks["forward"].score for one in found.shown} == {"Zoë": 20, "Aiko": 8, "<img src=x onerror=alert(1)>": 3}


def test_what_was_taken_over_from_an_earlier_run_counts(tmp_path):
    submission = Submission("Aiko", "12_diffusion", "forward", "forward.py", b"", None, "present")
    with Gradebook(tmp_path / "gradebook.sqlite") as gradebook:
        gradebook.begin("r1", {})
        gradebook.keep("r1", [Kept(result("Aiko", 7), key="k")])
        gradebook.begin("r2", {})
        class_view = view_of(tmp_path)
        assert class_view.look(View()).students == 0
        gradebook.take("r2", submission, "k")
        gradebook.keep("r2", [])
    assert names(class_view.look(View())) == ["Aiko"]


def test_a_new_run_begins_anew(out):
    class_view = view_of(out)
    assert class_view.look(View()).students == 2
    keep(out, result("Aiko", 7), run="r2")
    assert names(class_view.look(View())) == ["Aiko"]


@pytest.mark.parametrize(("policy", "scores"), [(BEST, [20, 5]), (Policy, [7, 5])])
def test_a_run_that_adds_shows_the_whole_class_and_what_is_graded_again(tmp_path, policy, scores):
    """Aiko hands in another file, and Bo's is graded again: it counts what it earns now."""
    class_view = ClassView(tmp_path / "gradebook.sqlite", ("forward",), policy)
    with Gradebook(tmp_path / "gradebook.sqlite") as gradebook:
        gradebook.begin("r1", {})
        gradebook.keep("r1", [Kept(result("Aiko", 20, file="1")), Kept(result("Bo", 9, file="2"))])
        gradebook.begin("r2", {}, "r1")
        assert [one.marks["forward"].score for one in class_view.look(View()).shown] == [20, 9]
        gradebook.keep("r2", [Kept(result("Aiko", 7, file="3")), Kept(result("Bo", 5, file="2"))])
    assert [one.marks["forward"].score for one in class_view.look(View()).shown] == scores


def test_a_large_class_is_shown_in_pages_found_by_words_and_sorted_by_a_column(tmp_path):
    made = [result(f"Student {number:03}", number % 21, checks=(MISCONCEPTION,) if number % 50 == 0 else ()) for number in range(250)]
    keep(tmp_path, *made, result("Bo", 0, status="not_judged", checks=()))
    class_view = view_of(tmp_path)
    first, last = class_view.look(View()), class_view.look(View(page=99))
    assert (first.pages, len(first.shown), names(first)[0]) == (3, 100, "Bo")
    assert (last.view.page, names(last)[-1]) == (3, "Student 249")
    assert names(class_view.look(View(find="BETA as deviation"))) == [f"Student {number:03}" for number in range(0, 250, 50)]
    assert names(class_view.look(View(find="not judged"))) == ["Bo"]
    assert names(class_view.look(View(find="nobody"))) == []
    assert names(class_view.look(View(sort="forward")))[:3] == ["Bo", "Student 000", "Student 021"]
    assert names(class_view.look(View(sort="-forward")))[:2] == ["Student 020", "Student 041"]
    assert names(class_view.look(View(sort="nothing")))[0] == "Bo"


def test_how_an_attempt_ended_stands_in_its_row_and_is_found(out):
    keep(out, *(result(name, 0, checks=(CheckResult("one", "One", 0, 2, "failed", reason),)) for name, reason in ENDED.items()))
    for name, reason in ENDED.items():
        found = view_of(out).look(View(find=reason.replace("_", " ")))
        assert [(one.name, one.endings) for one in found.shown] == [(name, (reason,))]
    assert {one.endings for one in view_of(out).look(View(find="Zo")).shown} == {()}


def test_the_class_is_sorted_by_percent_with_those_who_have_none_lowest(out):
    percents = {"Zoë": 20.0, "<img src=x onerror=alert(1)>": 100.0}
    keep(out, result("Aiko", 0, status="not_judged", checks=()))
    assert names(view_of(out).look(View(sort="%"), percents)) == ["Aiko", "Zoë", "<img src=x onerror=alert(1)>"]
    assert names(view_of(out).look(View(sort="-%"), percents))[-1] == "Aiko"


# ---- the pages


def test_the_head_of_percent_sorts_by_it(root, out, tmp_path):
    with serving(root, tmp_path, grades_in=out) as served:
        text = ask(served.address + "grades.html?sort=-%25")[2]
        assert re.search(r'aria-sort="descending"><a href="grades.html\?sort=%25#students">percent</a>', text)
        assert [float(one) for one in re.findall(r"</th>\s*<td>([0-9]+\.[0-9])</td>", text)] == sorted((100.0, 15.0), reverse=True)


def test_the_class_is_shown_and_no_name_is_html(root, out, tmp_path):
    with serving(root, tmp_path, grades_in=out) as served:
        text = ask(served.address + "grades.html")[2]
        assert "<img src=x" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text
        assert re.search(r"Zoë</a>.*</th>\s*<td>[0-9.]*</td>\s*<td>20 <span class=\"quiet\">/ 20</span>", text)
        assert re.search(r'Beta as standard deviation</a> <span class="quiet">in forward</span></th><td>2</td>', text)
        assert len(re.findall(r'<a href="grades.html\?find=beta\+as\+standard\+deviation#students">', text)) == 2  # from each student's row
        assert '<a href="grades.html?find=beta+as+standard+deviation+in+forward#students">' in text
        assert re.search(r'class="ticks quiet" aria-hidden="true"><span>1</span><span>0</span>', text)
        assert 'aria-label="0, 1, 0, 0, 0, 0, 0, 0, 0, 1 students, from none to all of the points"' in text
        assert 'href="grades.html"' in ask(served.address + "index.html")[2]


@pytest.mark.parametrize(("most", "told"), [(0, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 2, 4]), (11, [0, 5, 10, 15]), (30, [0, 10, 20, 30]), (31, [0, 20, 40])])
def test_a_histogram_has_few_round_counts_beside_it_and_none_is_passed(most, told):
    assert list(ticks(most)) == told


def test_what_is_asked_of_the_page_is_no_html_and_need_not_make_sense(root, out, tmp_path):
    with serving(root, tmp_path, grades_in=out) as served:
        status, _, text = ask(served.address + "grades.html?find=%22%3E%3Cb%3E&sort=%3Cb%3E&page=-3")
        assert status == 200
        assert "0 of 2 students" in text
        assert "<b>" not in text.rpartition("</header>")[2]


def test_what_a_running_course_grade_adds_is_told(root, out, tmp_path):
    with serving(root, tmp_path, grades_in=out) as served:
        thread, heard = listen(served.address + "grades-events", 2)
        wait_for(lambda: heard)
        with Gradebook(out / "gradebook.sqlite") as gradebook:
            gradebook.keep("r1", [Kept(result("Aiko", 7))])
            thread.join(PATIENCE)
        assert len(heard) == 2
        assert "Aiko" in ask(served.address + "grades.html", X_Part="students")[2]


def test_a_folder_that_comes_later_is_shown_when_it_is_there(root, tmp_path):
    out = tmp_path / "later"
    with serving(root, tmp_path, grades_in=out) as served:
        assert "Nothing has been graded there yet." in ask(served.address + "grades.html")[2]
        assert ask(served.address + "report.html")[0] == 404
        assert not out.exists()
        keep(out, result("Aiko", 7))
        (out / "report.html").write_text("the report of something else")
        text = ask(served.address + "grades.html")[2]
        assert "Aiko" in text
        assert 'href="report.html"' in text
        status, _, text = ask(served.address + "report.html")
        assert (status, "This was written by another version." in text, "something else" in text) == (404, True, False)


def test_grades_are_not_there_unless_they_were_asked_for(site):
    for name in ("grades.html", "report.html", "feedback/aiko.html", "feedback.html?name=Aiko"):
        assert ask(site.address + name)[0] == 404
    assert "grades.html" not in ask(site.address + "index.html")[2]


@pytest.mark.parametrize("name", ["report.html", "feedback.html?name=Zo%C3%AB", "student.html?name=Zo%C3%AB"])
def test_what_was_written_is_a_page_of_the_site_as_any_other(class_site, name):
    """The same head and the same policy: what is inside a file, its own style and script, does not come along."""
    (_, _, grades), (status, headers, text) = ask(class_site.address + "grades.html"), ask(class_site.address + name)
    heads = [page.partition("<header class=\"top\">")[2].partition("</header>")[0] for page in (grades, text)]
    assert heads[0].replace('"page"', '"true"') == heads[1]
    assert (status, headers["content-security-policy"]) == (200, POLICY)
    assert not re.search(r"<style|<script>|http-equiv", text)
    assert (text.count("<main"), text.count("<h1")) == (1, 1)


def test_the_report_leads_to_a_students_feedback(class_site):
    (link,) = re.findall(r'href="(feedback/[^"]+)">Zoë', ask(class_site.address + "report.html")[2].partition('id="students"')[2])
    status, headers, _ = ask(class_site.address + link)
    assert (status, headers["location"]) == (307, "../feedback.html?name=Zo%C3%AB")
    assert "forward: 3 of 20 points" in ask(class_site.address + "feedback.html?name=Zo%C3%AB")[2]


def test_no_name_is_html_where_a_file_is_shown(root, tmp_path):
    out, name = tmp_path / "out", "<b>&amp;"
    out.mkdir()
    with Gradebook(out / "gradebook.sqlite") as book:
        book.begin("r1", GradeRequest(out / "submissions", out))
        book.keep("r1", [Kept(result(name, 3))])
        write_files(out, read_course(root), book, "r1", read_rules(out, book, Policy()))
    with serving(root, tmp_path, grades_in=out) as served:
        for page in ("feedback", "student"):
            text = ask(f"{served.address}{page}.html?{urlencode({'name': name})}")[2]
            assert [text.count(f"{tag}&lt;b&gt;&amp;amp;<") for tag in ("<title>", "<h1>")] == [1, 1]


def test_feedback_leads_nowhere_else(root, out, tmp_path):
    (tmp_path / "secret.html").write_text("secret")
    with serving(root, tmp_path, grades_in=out) as served:
        for name in ("feedback/..%2f..%2fsecret.html", "feedback/%2e%2e/%2e%2e/secret.html", "feedback/nobody.html"):  # no addresses of files: each is looked up
            assert ask(served.address + name)[::2] == (404, "There is nothing at this address.")


def test_an_address_with_nothing_says_so_on_a_page(site):
    status, _, text = ask(site.address + "nowhere.html")
    assert status == 404
    assert "<p>There is nothing at this address.</p>\n<p>Choose a page above.</p>" in unescape(text)
