"""The report: what is counted, that nothing a student wrote is markup, and what a reader can do with it in a real browser."""

import base64
import hashlib
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from statistics import correlation, fmean

import pytest
from click.testing import CliRunner
from rich.console import Console

from autograder.cli.main import main
from autograder.cli.tables import class_table, misconception_table
from autograder.course.loading import read_course
from autograder.course.model import CheckResult
from autograder.course.policy import Policy
from autograder.grading.marking import listed
from autograder.grading.sentences import notes_of
from autograder.instructor import outputs
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules, student_grades
from autograder.instructor.measures import MISCONCEPTIONS, Group, measure
from autograder.instructor.outputs import (
    Reported,
    report_page,
    student_page,
    write_feedback,
    write_files,
    write_report,
)
from autograder.instructor.roster import file_slug
from tests.autograder.instructor.test_results import result
from tests.courses import ROOT

SCRIPT = "<script>document.title = 'taken over'</script>"


def check(name, points, outcome="passed", **more):
    return CheckResult(name, f"Check {name}", points, 2, outcome, **more)


def standings_of(tmp_path, *results, policy=None):
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("2026-01-01T00:00:00+00:00", {})
        book.keep("2026-01-01T00:00:00+00:00", [Kept(one) for one in results])
        return list(student_grades(book, "2026-01-01T00:00:00+00:00", read_rules(tmp_path, book, policy or Policy())))


def graded(student, *points, **more):
    checks = tuple(check(name, earned, "passed" if earned else "failed", reason=None if earned else "wrong") for name, earned in zip("abc", points, strict=False))
    return result(student, score=float(sum(points)), max_score=6.0, checks=checks, **more)


MISTAKEN = check("a", 0, "failed", reason="wrong", message="`f(1)` gave 2. Use a root.", misconception="beta_as_standard_deviation", section="one-step-by-hand")


def page(made, shared=(), hidden=False, policy=None):
    return report_page("Lesson", "2026-01-01T00:00:00", Reported(made, list(shared), {}), {}, policy or Policy(), hidden=hidden, feedback="feedback")


def test_a_mistake_is_titled_as_in_the_lesson(tmp_path):
    made = measure(standings_of(tmp_path, result("ada", checks=(check("a", 0, "failed", reason="wrong", misconception="ddim_needs_training"),))), ["forward"])
    told = report_page("Lesson", "2026-01-01T00:00:00", Reported(made, [], {}), {}, Policy(), text="DDIM draws with any denoiser.")
    assert "<b>DDIM needs training</b>" in told
    assert "ddim needs training" not in told


def test_a_question_is_titled_as_in_the_lesson():
    assert ("ddim-training", "DDIM training") in {told[:2] for lesson in read_course(ROOT).lessons for told in listed(lesson)}


# ---- in the terminal


def printed(table, width):
    with (console := Console(width=width)).capture() as captured:
        console.print(table)
    return [re.findall(r"[^│┃]+", line) for line in captured.get().splitlines() if line[0] in "│┃"]


def cells(table, width=80):
    return [[cell.strip() for cell in line] for line in printed(table, width)]


@pytest.fixture
def handed_in():
    """Ada handed in eight exercises of nine, all right; Bo one, wrong."""
    names = [f"exercise{number}" for number in range(9)]
    missing = {"status": "missing", "score": 0.0, "sha256": None}
    ada = [result("Ada", exercise=name, **({"score": 2.0} if name != "exercise8" else missing)) for name in names]
    return [*ada, *(result("Bo", exercise=name, **({} if name == "exercise0" else missing)) for name in names)], names


def test_a_score_stands_for_each_exercise_that_someone_handed_in(handed_in):
    results, names = handed_in
    rows = cells(class_table(results, names, 200), 200)
    assert rows[0] == ["student", *names[:8], "what went wrong"]
    assert rows[2] == ["Bo", "1 / 2", *["missing"] * 7, ""]


def test_where_scores_do_not_fit_the_whole_stands_in_their_place(handed_in):
    results, names = handed_in
    assert cells(class_table(results, names, 80)) == [
        ["student", "submitted", "points", "what went wrong"],
        ["Ada", "8 of 9", "16 / 18", ""],
        ["Bo", "1 of 9", "1 / 18", ""],
    ]


def test_the_terminal_lists_as_many_mistakes_as_the_report_and_says_how_many_more_there_are(tmp_path):
    checks = tuple(check(f"c{number}", 0, "failed", reason="wrong", misconception=f"mistake_{number}") for number in range(MISCONCEPTIONS + 2))
    made = measure(standings_of(tmp_path, result("x", score=0.0, checks=checks[1:]), result("y", score=0.0, checks=checks[-2:])))
    table = misconception_table(made, {})
    assert [row[0] for row in cells(table)[1:]] == [f"mistake_{number}" for number in (8, 9, 1, 2, 3, 4, 5, 6)]
    assert table.caption == "and 1 more"
    assert "<summary>1 more</summary>" in page(made)


# ---- what is counted


def test_difficulty_is_what_was_earned_and_discrimination_goes_with_the_rest(tmp_path):
    """Check a goes with the rest in every student, check b against it, and c is the same for all."""
    made = measure(standings_of(tmp_path, graded("x", 2, 0, 2), graded("y", 2, 0, 2), graded("z", 0, 2, 2)))
    measured = {name: (one.difficulty, one.discrimination) for (_, name), one in made.checks.items()}
    assert measured["a"] == (pytest.approx(2 / 3), pytest.approx(-1))
    assert measured["c"] == (1.0, None)
    assert [one.id for one in made.by_difficulty()] == ["b", "a", "c"]


def test_a_check_that_the_strong_pass_and_the_weak_fail_tells_them_apart(tmp_path):
    made = measure(standings_of(tmp_path, graded("x", 2, 2, 0), graded("y", 2, 2, 2), graded("z", 0, 0, 0), graded("w", 0, 0, 0)))
    assert made.checks["forward", "a"].discrimination == pytest.approx(0.905, abs=1e-3)  # 6 / (2 √11), of 2, 2, 0, 0 and 2, 4, 0, 0


def test_a_class_with_many_equals_is_measured_as_one_by_one(tmp_path):
    points = [(2, 2, 0)] * 3 + [(0, 2, 1)] * 2 + [(1, 0, 0), (2, 1, 2)]
    made = measure(standings_of(tmp_path, *(graded(f"s{number}", *own) for number, own in enumerate(points))))
    one, earned, rest = made.checks["forward", "a"], [a for a, _, _ in points], [b + c for _, b, c in points]
    assert (one.difficulty, one.discrimination) == pytest.approx((fmean(earned) / 2, correlation(earned, rest)))


def test_only_what_was_graded_is_measured_and_the_rest_is_counted(tmp_path):
    lost = result("lost", status="not_judged", score=0.0)
    made = measure(standings_of(tmp_path, graded("x", 2, 2, 2), result("away", status="missing", score=0.0), lost))
    one = made.exercises["forward"]
    assert (one.graded, one.mean, one.full, one.bins) == (1, 6.0, 1, [0] * 9 + [1])
    assert made.not_judged == [("lost", "forward")]
    assert made.checks["forward", "a"].counts == {("passed", 2, 6): 1}


def test_the_exercises_are_in_the_courses_order_whichever_was_graded_first(tmp_path):
    handed_in = standings_of(tmp_path, result(exercise="practice"), result(exercise="forward"))
    assert list(measure(handed_in, ["practice", "ddpm", "forward"]).exercises) == ["practice", "forward"]


def test_a_misconception_is_counted_once_for_a_student(tmp_path):
    twice = (MISTAKEN, check("b", 0, "failed", reason="wrong", misconception="beta_as_standard_deviation", section="one-step-by-hand"))
    made = measure(standings_of(tmp_path, result("x", checks=twice), result("y", checks=(MISTAKEN,))))
    assert [(misconception.id, misconception.students, misconception.section) for misconception in made.by_misconceptions()] == [("beta_as_standard_deviation", 2, "one-step-by-hand")]


def test_help_is_for_those_below_the_pass_mark_the_lowest_first(tmp_path):
    made = measure(standings_of(tmp_path, graded("x", 2, 2, 0), graded("y", 2, 0, 0), graded("z", 0, 0, 0)))
    assert [row.student for row in made.in_need(None)] == ["z", "y"]
    assert [row.student for row in made.in_need(70)] == ["z", "y", "x"]
    assert [row.student for row in made.in_need(10)] == ["z"]


def test_each_mistake_has_a_sentence_or_else_a_card_that_says_what_is_right():
    (lesson,) = read_course(ROOT).lessons
    notes = notes_of(lesson)
    assert notes["beta_as_standard_deviation"] == "You scaled the noise by β. β is the noise's variance: multiply ε by its square root."
    card = next(card for card in lesson.cards if "noise_of_one_step" in card.tags)
    assert notes["noise_of_one_step"] == f"{card.front} {card.back}"
    known = {wrong.misconception for key in lesson.keys.values() for one in (key, *key.parts.values()) for wrong in one.wrong.values()} - {None}
    assert known <= notes.keys()


# ---- what is shown


def hostile(tmp_path):
    message = f"`f({SCRIPT})` raised {SCRIPT} \x1b[31m"
    checks = (check("a", 0, "failed", reason="raised", message=message),)
    return standings_of(tmp_path, result(f"Eve {SCRIPT}", score=0.0, checks=checks))


def test_nothing_a_student_wrote_is_markup(tmp_path):
    made = measure(hostile(tmp_path))
    text = page(made, [Group("forward", SCRIPT, (f"Eve {SCRIPT}",), f"`f({SCRIPT})`")])
    assert text.count("<script>") == 1
    assert "&lt;script&gt;" in text
    own = student_page(hostile(tmp_path)[0], {}, Policy())
    assert "<script" not in own
    assert "\x1b" not in text + own


def test_the_page_lets_only_its_own_style_and_script_run_and_loads_nothing(tmp_path):
    text = page(measure(hostile(tmp_path)))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    for kind in ("style", "script"):
        inside = re.search(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)[1]
        assert f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?://|\ssrc=|\sstyle=|\son\w+=", text)


def test_hidden_names_are_nowhere_nor_the_numbers_of_a_secret_run(tmp_path):
    made = measure(standings_of(tmp_path, graded("Ada Lovelace", 0, 0, 0), graded("Bo", 2, 2, 2)))
    made.slow, made.not_judged = [(9.0, "Ada Lovelace", "forward")], [("Ada Lovelace", "forward")]
    text = page(made, [Group("forward", "f", ("Ada Lovelace", "Bo"), "`f(0.123)` gave 0.456")], hidden=True)
    assert not re.search(r"Ada|Lovelace|\bBo\b|ada-|0\.456|feedback/", text)
    assert "student 1<" in text


def test_feedback_is_a_small_file_with_the_courses_title_that_loads_nothing(tmp_path):
    (one,) = standings_of(tmp_path, result("Ada", checks=(MISTAKEN,)))
    text = student_page(one, {}, Policy(), course="A course & more")
    assert re.sub("<[^>]+>", "", re.search(r"<header.*?</header>", text)[0]) == "A course &amp; more"
    assert len(text.encode()) < 6_000
    assert "url(" not in text


def test_a_name_leads_to_feedback_wherever_the_report_is_and_only_if_there_is_any(tmp_path):
    standings_of(tmp_path, graded("Ada", 0, 0, 0))
    (tmp_path / "a b").mkdir()
    feedback = f"feedback/{file_slug('Ada')}.html"
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        told = read_course(ROOT), book, book.last_run(), read_rules(tmp_path, book, Policy())
        write_report(tmp_path / "report.html", *told)
        assert "<a href=\"" not in (tmp_path / "report.html").read_text(encoding="utf-8").replace('<a href="#', "")
        write_feedback(tmp_path, *told)
        write_report(tmp_path / "report.html", *told)
        write_report(tmp_path / "a b" / "report.html", *told)
    assert (tmp_path / feedback).is_file()
    for place, href in (("report.html", feedback), ("a b/report.html", f"../{feedback}")):
        assert re.findall(r'<a href="([^"#]+)">Ada</a>', (tmp_path / place).read_text(encoding="utf-8")) == [href] * 2  # who needs help, and all


def test_a_students_page_shows_what_the_policy_reveals(tmp_path):
    (one,) = standings_of(tmp_path, result("Ada", checks=(MISTAKEN,)))
    sections = {"12_diffusion": {"one-step-by-hand": "One step by hand"}}
    assert "<code>f(1)</code> gave 2. Use a root." in student_page(one, sections, Policy())
    assert "Reread: One step by hand" in student_page(one, sections, Policy())
    titles = student_page(one, sections, Policy(reveal="titles"))
    assert "Check a" in titles
    assert "gave 2" not in titles
    assert "Check a" not in student_page(one, sections, Policy(reveal="nothing"))
    later = Policy(reveal_from=datetime.now(UTC) + timedelta(days=1))
    assert "Check a" not in student_page(one, sections, later)
    assert "The checks are shown from " in student_page(one, sections, later)


# ---- the command


@pytest.fixture
def out(tmp_path):
    standings_of(tmp_path, result("Ada", score=0.5, checks=(MISTAKEN,)), result("Bo", score=2.0, checks=(check("a", 2),)), result("Cy", status="missing", score=0.0))
    return tmp_path


def test_the_command_says_it_in_short_and_writes_the_page(out):
    said = CliRunner().invoke(main, ["--course", str(ROOT), "report", str(out)], env={"COLUMNS": "100"})
    assert said.exit_code == 0, said.output
    for words in ("beta_as_standard_deviation", "The hardest checks", "Who needs help: 2", f"The whole report: {out}/report.html"):
        assert words in said.output.replace("\n", "") + said.output
    assert "One step by hand" in (out / "report.html").read_text(encoding="utf-8")
    nameless = CliRunner().invoke(main, ["--course", str(ROOT), "report", str(out), "--hide-names"], env={"COLUMNS": "100"})
    assert "Ada" not in nameless.output + (out / "report-without-names.html").read_text(encoding="utf-8")


def test_feedback_has_the_exercises_in_the_courses_order(tmp_path):
    course = read_course(ROOT)
    order = [*(exercise.id for exercise in course.lessons[0].exercises), "practice"]
    standings_of(tmp_path, *(result("Ada", exercise=exercise) for exercise in order))
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        assert write_feedback(tmp_path, course, book, book.last_run(), read_rules(tmp_path, book, Policy())) == 1
    text, page = ((tmp_path / "feedback" / f"{file_slug('Ada')}{kind}").read_text(encoding="utf-8") for kind in (".md", ".html"))
    assert re.findall(r"^## (\w+):", text, re.M) == order
    assert re.findall(r"<h2>(\w+):", page) == order


@pytest.mark.parametrize("broken", [False, True])
def test_each_core_writes_a_share_of_a_large_classs_feedback(tmp_path, monkeypatch, broken):
    """The files are the same as those that one process writes, also if the processes that should write cannot be started."""
    names = [f"Student {number}" for number in range(7)]
    standings_of(tmp_path, *(result(name) for name in names))
    course = read_course(ROOT)
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        told = tmp_path, course, book, book.last_run(), read_rules(tmp_path, book, course.policy)
        assert write_feedback(*told) == 7
        alone = {path.name: path.read_bytes() for path in (tmp_path / "feedback").iterdir()}
        shutil.rmtree(tmp_path / "feedback")
        monkeypatch.setattr(outputs, "LARGE", 7)
        if broken:
            monkeypatch.setattr(sys, "executable", "/bin/false")
        assert write_feedback(*told) == 7
    assert {path.name: path.read_bytes() for path in (tmp_path / "feedback").iterdir()} == alone
    assert len(alone) == 14


# ---- in a browser


@pytest.fixture
def shown(browser, tmp_path):
    """The report of three students, opened; what the browser complains of is a failure."""
    standings_of(tmp_path, graded("Ada", 2, 2, 0), graded("bo", 2, 2, 2), result(f"Cy {SCRIPT}", status="missing", score=0.0, max_score=6.0))
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        write_report(tmp_path / "report.html", read_course(ROOT), book, book.last_run(), read_rules(tmp_path, book, Policy()))
    opened = browser.new_page(viewport={"width": 360, "height": 800})
    complaints = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto((tmp_path / "report.html").as_uri())
    yield opened
    opened.close()
    assert complaints == []


def names(opened):
    return [cell.split(" <")[0] for cell in opened.locator("#students tbody tr:visible td:first-child").all_inner_texts()]


@pytest.mark.xdist_group("browser")
def test_the_table_sorts_both_ways_and_filters(shown):
    assert names(shown) == ["Ada", "Cy", "bo"]
    shown.get_by_role("button", name="percent").click()
    assert names(shown) == ["Cy", "Ada", "bo"]
    shown.get_by_role("button", name="percent").click()
    assert names(shown) == ["bo", "Ada", "Cy"]
    shown.get_by_label("Filter the students").fill("missing")
    assert names(shown) == ["Cy"]
    assert shown.locator(".sift output").inner_text() == "1 of 3"


@pytest.mark.xdist_group("browser")
def test_a_mistake_leads_to_the_students_who_made_it_and_they_to_their_feedback(browser, tmp_path):
    """In a file, by keyboard. Two exercises have a mistake of the same name, and each leads to its own students."""
    once = (MISTAKEN,)
    standings_of(tmp_path, result("Ada", checks=once), result("Bo", checks=once), result("Cy", exercise="loss", checks=once), result("Di", checks=()))
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        write_files(tmp_path, read_course(ROOT), book, book.last_run(), read_rules(tmp_path, book, Policy()))
    opened = browser.new_page()
    opened.goto((tmp_path / "report.html").as_uri())
    opened.get_by_label("Filter the students").fill("Di")
    opened.get_by_role("link", name="2 students: beta as standard deviation in forward").press("Enter")
    assert names(opened) == ["Ada", "Bo"]
    assert opened.locator(".sift output").inner_text() == "2 of 4 made this: Beta as standard deviation in forward"
    opened.get_by_label("Filter the students").fill("b")
    assert names(opened) == ["Ada", "Bo"]  # beta
    opened.get_by_role("link", name="1 student: beta as standard deviation in loss").press("Enter")
    assert names(opened) == ["Cy"]
    opened.get_by_role("button", name="Show all").press("Enter")
    assert names(opened) == ["Ada", "Bo", "Cy", "Di"]
    opened.locator("#students").get_by_role("link", name="Bo").press("Enter")
    opened.wait_for_url("**/feedback/*.html")
    assert opened.get_by_role("heading", level=1).inner_text() == "Bo"
    opened.close()


@pytest.mark.xdist_group("browser")
def test_a_large_class_is_shown_page_by_page_and_found_and_sorted_as_a_whole(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "PAGE_ROWS", 2)
    standings_of(tmp_path, *(graded(name, points, 0, 0) for name, points in zip("abcde", (2, 1, 0, 1, 2), strict=True)))
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        write_report(tmp_path / "report.html", read_course(ROOT), book, book.last_run(), read_rules(tmp_path, book, Policy()))
    opened = browser.new_page()
    opened.goto((tmp_path / "report.html").as_uri())
    assert names(opened) == ["a", "b"]
    assert opened.get_by_role("button", name="Previous").is_disabled()
    opened.get_by_role("button", name="Next").click()
    opened.get_by_role("button", name="Next").click()
    assert (names(opened), opened.locator(".pages output").inner_text()) == (["e"], "page 3 of 3")
    opened.get_by_role("button", name="percent").click()
    assert names(opened) == ["c", "b"]
    opened.get_by_label("Filter the students").fill("e")
    assert "e" in names(opened)
    opened.close()


@pytest.mark.xdist_group("browser")
def test_a_phone_scrolls_tables_and_never_the_page(shown):
    assert shown.evaluate("document.documentElement.scrollWidth") == 360
    assert shown.title().endswith(": what the class understood")


@pytest.mark.xdist_group("browser")
def test_without_script_the_table_is_all_there(browser, shown):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(shown.url)
    assert plain.locator("#students tbody tr").count() == 3
    assert plain.locator(".sift").is_hidden()
    context.close()
