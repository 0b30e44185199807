"""Practice over HTTP: the marks are those of `questions`, and what is remembered is the terminal's."""

from html import unescape
from urllib.parse import urlencode

import pytest

from autograder.course.model import Key
from autograder.grading.feedback import mark_message
from autograder.grading.marking import mark
from autograder.grading.questions import functions_of, values, variant
from autograder.learner.start import start
from autograder.web.pages import plain_text
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask


@pytest.fixture
def fresh(root, site, tmp_path):
    """A site of its own, with nothing remembered."""
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        yield served


def send(site, question, *, part="mark", **fields):
    body = urlencode({name.replace("__", "."): value for name, value in fields.items()}, doseq=True).encode()
    return ask(f"{site.address}question-{question}.html", method="POST", body=body, **({"X_Part": part} if part else {}))


def test_a_right_answer_is_told_so_with_its_working_and_the_line_to_hand_in(fresh):
    status, _, text = send(fresh, "fresh-step", answer="0.790")
    assert status == 200
    assert "<h2>Right</h2>" in text
    assert "It is mastered once you are right with fresh numbers 3 times in a row, each at the first try." in text
    assert "<code>fresh-step: 0.790</code>" in text
    assert "The working" in text


def test_a_number_is_said_again_with_a_minus_and_what_is_none_as_it_was_written(fresh):
    assert "−0.5" in send(fresh, "fresh-step", answer="-0.5")[2]
    assert "<code>-0.5 or so</code>" in send(fresh, "fresh-step", answer="-0.5 or so")[2]


def test_what_is_marked_again_is_marked_alike_and_not_counted(fresh):
    told = send(fresh, "fresh-step", answer="0.55")[2]
    assert send(fresh, "fresh-step", part="again", answer="0.55")[2] == told
    assert "<h2>Right</h2>" in send(fresh, "fresh-step", part="again", answer="0.790")[2]
    with fresh.session.state() as state:
        assert [event.facts["right"] for event in state.events("practice")] == [False]


def test_a_known_misconception_is_named_in_the_graders_words(root, fresh):
    question = next(one for one in fresh.session.lesson.questions if one.id == "fresh-step")
    functions = functions_of(root, fresh.session.lesson)
    _, misconceptions = values(question, variant(question, 7, functions), functions)
    for misconception, value in misconceptions:
        words = mark_message(question, mark(question, Key(), {"seed": 7, "answer": f"{value:.3f}"}, functions))
        assert words.endswith(misconception.sentence)
        assert words.replace("`", "") in plain_text(send(fresh, "fresh-step", answer=f"{value:.3f}", seed="7")[2])


def test_three_fresh_variants_in_a_row_are_mastery_here_and_in_the_terminal(root, fresh):
    from autograder.learner.practice import mastered

    question = next(one for one in fresh.session.lesson.questions if one.id == "fresh-step")
    functions = functions_of(root, fresh.session.lesson)
    for seed in (3, 4, 5):
        right, _ = values(question, variant(question, seed, functions), functions)
        text = send(fresh, "fresh-step", answer=f"{right:.3f}", seed=str(seed))[2]
    assert "Mastered." in text
    with fresh.session.state() as state:
        assert mastered(state, question)
    assert "Mastered" in ask(fresh.address + "practice.html")[2]


KINDS = [
    ("why-not-one-step", {"answer": "blurred-mean"}, {"answer": "good-enough"}),
    ("training-loop", {"answer": ["draw", "jump", "ask", "loss", "update"]}, {"answer": ["update", "draw", "jump", "ask", "loss"]}),
    ("loss-by-hand", {"answer": "0.167"}, {"answer": "0.500"}),
]


@pytest.mark.parametrize(("question", "right", "wrong"), KINDS, ids=[kind[0] for kind in KINDS])
def test_each_kind_of_question_is_marked(fresh, question, right, wrong):
    assert "<h2>Not yet</h2>" in send(fresh, question, **wrong)[2]
    assert "<h2>Right</h2>" in send(fresh, question, **right)[2]


def test_a_match_and_parts_are_marked_item_by_item(fresh):
    lesson = fresh.session.lesson
    for question in lesson.questions:
        key = lesson.keys.get(question.id, Key())
        if question.kind == "match":
            fields = {f"answer.{left}": right for left, right in key.right.items()}
            assert "<h2>Right</h2>" in ask(f"{fresh.address}question-{question.id}.html", method="POST", body=urlencode(fields).encode())[2]
        if question.id == "method-choice":
            fields = {f"answer.{part.id}": key.parts[part.id].right for part in question.parts}
            assert "<h2>Right</h2>" in ask(f"{fresh.address}question-{question.id}.html", method="POST", body=urlencode(fields).encode())[2]
            fields["answer.video-filter"] = "vae-one-pass"
            text = ask(f"{fresh.address}question-{question.id}.html", method="POST", body=urlencode(fields).encode())[2]
            assert "Part 1: You chose “A VAE: one pass per frame, and its training is stable”." in unescape(text)


def test_a_mark_speaks_of_what_is_seen_and_not_of_ids(fresh):
    fields = [("answer", name) for name in ("update", "draw", "jump", "ask", "loss")]
    text = unescape(ask(fresh.address + "question-training-loop.html", method="POST", body=urlencode(fields).encode(), X_Part="mark")[2])
    assert "You put “Take a gradient step on the network's weights” before “" in text
    assert "update" not in text.partition("</p>")[0]


@pytest.mark.parametrize("answer", ["<img src=x onerror=alert(1)>", "\"'><script>", "9" * 5000, "\x00", "0,79,1"])
def test_what_was_typed_never_becomes_html(fresh, answer):
    for part in (True, False):
        status, _, text = send(fresh, "fresh-step", part=part, answer=answer)
        assert status == 200
        assert "<img src=x" not in text
        assert "'><script>" not in text
        assert "<h2>Not yet</h2>" in text


def test_without_scripts_the_whole_page_comes_back_with_the_mark_and_what_was_typed(fresh):
    text = send(fresh, "fresh-step", part=False, answer="0.7")[2]
    assert "<title>Fresh step · Practice</title>" in text
    assert "<h2>Not yet</h2>" in text
    assert 'value="0.7"' in text


def test_a_question_that_is_not_there_is_said_so(fresh):
    status, _, text = ask(fresh.address + "question-fresh-stop.html")
    assert status == 404
    assert "There is no question <code>fresh-stop</code>." in text
    assert "Did you mean <code>fresh-step</code>?" in text


@pytest.mark.parametrize("seed", ["-1", "1e9", "x", "99999999999", ""])
def test_a_seed_that_is_none_is_not_taken(fresh, seed):
    assert ask(f"{fresh.address}question-fresh-step.html?{urlencode({'seed': seed})}")[0] == 200


def test_without_a_workspace_answers_are_marked_and_forgotten(root, tmp_path):
    with serving(root, tmp_path) as served:
        assert "<h2>Right</h2>" in send(served, "fresh-step", answer="0.790")[2]
        assert "This is not a workspace" in ask(served.address + "practice.html")[2]
        folder = served.session.workspace.folder
        assert folder.is_dir()
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_decimal_comma_will_do_on_a_page(fresh):
    assert "<h2>Right</h2>" in send(fresh, "fresh-step", answer="0,790")[2]
    assert "<h2>Right</h2>" not in send(fresh, "fresh-step", answer="0,55")[2]
