"""Practice: which question, which numbers, what counts, and when a question is mastered."""

import math

import pytest

from autograder.course.errors import UsageError
from autograder.grading.feedback import mark_message
from autograder.grading.questions import question_text, values
from autograder.learner.practice import (
    STREAK,
    answer,
    ask,
    choose,
    core_minutes,
    draw,
    for_answers,
    mastered,
    read_answer,
    shown_working,
    streak,
)


@pytest.fixture(scope="module")
def functions(root, lesson):
    from autograder.grading.questions import functions_of

    return functions_of(root, lesson)


@pytest.fixture
def question(lesson):
    """Give a question by its id."""
    return {one.id: one for one in lesson.questions}.__getitem__


def right_answer(asked, functions):
    return f"{values(asked.question, asked.numbers, functions)[0]:.{asked.question.decimals}f}"


def try_it(workspace, state, functions, question, seed, *, right=True):
    asked = ask(workspace, question, seed, functions)
    return answer(state, asked, right_answer(asked, functions) if right else "123.456", functions)


def test_a_seed_gives_the_same_numbers_and_others_than_the_published_ones(workspace, question, functions):
    fresh = ask(workspace, question("fresh-step"), 7, functions)
    assert fresh.numbers == ask(workspace, question("fresh-step"), 7, functions).numbers
    assert fresh.numbers != ask(workspace, question("fresh-step"), None, functions).numbers
    assert question_text(fresh.question, fresh.numbers).startswith("A pixel has the value x = ")


def test_three_fresh_variants_in_a_row_master_a_question(workspace, state, question, functions):
    asked = question("fresh-step")
    for seed in range(STREAK):
        assert not mastered(state, asked)
        assert try_it(workspace, state, functions, asked, seed).outcome == "passed"
    assert mastered(state, asked)


def test_the_published_numbers_and_a_variant_seen_before_do_not_count(workspace, state, question, functions):
    asked = question("fresh-step")
    for seed in (None, None, 3, 3, 3):
        try_it(workspace, state, functions, asked, seed)
    assert streak(state, asked) == 1


def test_a_wrong_answer_ends_the_streak_and_its_variant_counts_no_more(workspace, state, question, functions):
    asked = question("fresh-step")
    for seed in (1, 2):
        try_it(workspace, state, functions, asked, seed)
    try_it(workspace, state, functions, asked, 3, right=False)
    assert streak(state, asked) == 0
    try_it(workspace, state, functions, asked, 3)
    assert streak(state, asked) == 0


def test_what_is_no_number_is_told_and_costs_nothing(workspace, state, question, functions):
    asked = question("fresh-step")
    try_it(workspace, state, functions, asked, 1)
    made = answer(state, ask(workspace, asked, 2, functions), "0.7.9", functions)
    assert mark_message(asked, made) == "`0.7.9` is not a number: write one number with 3 decimals, like 0.123."
    assert streak(state, asked) == 1


def test_a_misconception_is_told_as_in_code(workspace, state, question, functions):
    made = answer(state, ask(workspace, question("fresh-step"), None, functions), "0.550", functions)
    assert made.misconception == "beta_as_standard_deviation"


def test_a_question_without_numbers_is_mastered_while_its_last_answer_is_right(workspace, state, question, functions):
    asked = ask(workspace, question("why-not-one-step"), None, functions)
    for given, outcome in (("good-enough", False), ("blurred-mean", True), ("good-enough", False), ("Blurred-Mean", True)):
        answer(state, asked, read_answer(asked.question, given), functions)
        assert mastered(state, asked.question) is outcome


def test_a_question_of_several_parts_is_mastered_once_it_is_right(state, question):
    """Its parts repeat the idea already; a wrong try in between costs nothing."""
    asked = question("guidance-trajectory")
    for right in (False, True):
        state.add("practice", asked.id, seed=None, right=right)
        assert mastered(state, asked) is right


def test_the_core_is_counted_answer_by_answer(lesson):
    """A number takes a minute, a choice twenty seconds: four variants of one number, six choices, and seven numbers with a choice."""
    assert [one.id for one in lesson.questions if one.core] == ["fresh-step", "method-choice", "guidance-trajectory"]
    assert core_minutes(lesson) == 5 * math.ceil((4 * 60 + 6 * 20 + 7 * 60 + 20) / 300) == 15


def test_core_questions_come_first_and_mastered_ones_are_passed_over(workspace, state, lesson, functions):
    first = choose(lesson, state, None)
    assert first.core
    for seed in range(STREAK):
        try_it(workspace, state, functions, first, seed)
    assert choose(lesson, state, None).id != first.id


def test_the_published_numbers_are_asked_until_they_are_answered_and_fresh_ones_after(workspace, state, question, functions):
    asked = question("fresh-step")
    assert draw(state, asked, fresh=False, seed=None) is None
    assert draw(state, asked, fresh=True, seed=None) in range(50)
    assert draw(state, asked, fresh=False, seed=123) == 123
    try_it(workspace, state, functions, asked, None)
    assert draw(state, asked, fresh=False, seed=None) in range(50)


def test_a_fresh_variant_is_not_one_of_the_last_ones(workspace, state, question, functions):
    asked = question("fresh-step")
    seen = []
    for _ in range(20):
        seen.append(draw(state, asked, fresh=True, seed=None))
        try_it(workspace, state, functions, asked, seen[-1], right=False)
    assert len(set(seen)) == 20


def test_a_question_without_numbers_has_no_variants(state, question):
    assert draw(state, question("why-not-one-step"), fresh=True, seed=5) is None


def test_the_working_has_the_readers_numbers(workspace, question, functions):
    asked = ask(workspace, question("fresh-step"), 7, functions)
    assert shown_working(asked, functions)[-1].endswith(right_answer(asked, functions))


@pytest.mark.parametrize(
    ("name", "typed", "given"),
    [
        ("fresh-step", " 0.790 ", "0.790"),
        ("why-not-one-step", "blurred-mean", "blurred-mean"),
        ("why-not-one-step", "2", "blurred-mean"),
        ("why-not-one-step", "B)", "blurred-mean"),
        ("why-not-one-step", "99", "99"),
        ("lines-to-mend", "[raw-pixels, uniform-noise]", ["raw-pixels", "uniform-noise"]),
        ("lines-to-mend", "2 d", ["raw-pixels", "uniform-noise"]),
        ("systems-and-parts", "3", "latents"),
        ("sampling-loop", "start, ask; next", ["start", "ask", "next"]),
    ],
)
def test_what_is_typed_is_read_as_answers_yaml_would_hold_it(question, name, typed, given):
    assert read_answer(question(name), typed) == given


@pytest.mark.parametrize(
    ("name", "seed", "given", "line"),
    [
        ("fresh-step", None, "0.790", "fresh-step: 0.790"),
        ("fresh-step", 7, "0.790", "fresh-step: {seed: 7, answer: 0.790}"),
        ("fresh-step", 7, "0,790", "fresh-step: {seed: 7, answer: 0.790}"),
        ("what-guidance-needs", None, ["a", "b"], "what-guidance-needs: [a, b]"),
        ("systems-and-parts", None, {"imagen": "cascade"}, "systems-and-parts: {imagen: cascade}"),
    ],
)
def test_an_answer_is_written_as_answers_yaml_takes_it(workspace, question, functions, name, seed, given, line):
    assert for_answers(ask(workspace, question(name), seed, functions), given) == line


def test_an_unknown_question_is_told_with_the_near_one(lesson, state):
    with pytest.raises(UsageError) as error:
        choose(lesson, state, "fresh-stop")
    assert str(error.value) == "there is no question `fresh-stop`\n  fix: did you mean `fresh-step`?"
    with pytest.raises(UsageError) as error:
        choose(lesson, state, "zzz")
    assert str(error.value) == f"there is no question `zzz`\n  fix: take one of {', '.join(one.id for one in lesson.questions)}"
