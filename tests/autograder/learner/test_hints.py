"""Hints open by attempt; progress is counted for each objective, and names what comes next."""

from collections import Counter

import pytest

from autograder.cli.views import plan_line
from autograder.course.errors import CourseError, UsageError
from autograder.course.loading import read_hints
from autograder.course.model import CheckResult, Failure
from autograder.learner.check import Checked
from autograder.learner.practice import choose
from autograder.learner.progress import CardsLeft, Plan, advice, hints, next_section, plan, remember, standings, totals, work_after


@pytest.fixture(autouse=True)
def _inside(workspace, monkeypatch):
    monkeypatch.chdir(workspace.folder)


def attempt(state, sha256, *failing, exercise="forward", untouched=False, of=("linear_betas", "forward_step", "noise_to")):
    """Write down a check in which these functions failed."""
    checks = tuple(CheckResult(name, name, 0, 1, "failed" if name in failing else "passed") for name in of)
    problem = "as it was given" if untouched else ""
    remember(state, Checked(exercise, "forward.py", sha256, checks, {}, problem=problem, functions={name: name for name in of}))


def test_one_more_hint_opens_for_each_version_that_was_checked_and_failed(workspace, state):
    known = read_hints(workspace.root, workspace.lesson.id)["forward"].functions["forward_step"]
    for number, sha256 in enumerate("abcd", 1):
        attempt(state, sha256, "forward_step")
        opened = hints(workspace, state, "forward.py")
        assert (opened.function, opened.hints, opened.of) == ("forward_step", known[:number], len(known))


def test_checking_the_same_version_again_opens_nothing(workspace, state):
    for _ in range(3):
        attempt(state, "a", "forward_step")
    assert len(hints(workspace, state, "forward.py").hints) == 1


def test_an_untouched_starter_is_no_attempt(workspace, state):
    attempt(state, "given", "linear_betas", untouched=True)
    assert hints(workspace, state, "forward.py").hints == ()


def test_a_function_that_is_still_the_starters_is_no_attempt(workspace, state):
    """Who works on another function of the file opens no hints for this one."""
    failure = Failure("ended", "noise_to", exception="NotImplementedError")
    check = CheckResult("c", "c", 0, 1, "failed", "raised", "`noise_to(t=1)` raised NotImplementedError (line 45): noise_to.", failure=failure)
    remember(state, Checked("forward", "forward.py", "a", (check,), {}, functions={"c": "noise_to"}))
    assert hints(workspace, state, "forward.py", "noise_to").hints == ()


def test_the_first_function_that_was_written_is_meant_before_those_that_were_not(workspace, state):
    raised = "`linear_betas(T=5)` raised NotImplementedError (line 17): linear_betas."
    failure = Failure("ended", "linear_betas", exception="NotImplementedError")
    checks = CheckResult("a", "a", 0, 1, "failed", "raised", raised, failure=failure), CheckResult("b", "b", 0, 1, "failed", "wrong", "no")
    remember(state, Checked("forward", "forward.py", "x", checks, {}, functions={"a": "linear_betas", "b": "noise_to"}))
    assert hints(workspace, state, "forward.py").function == "noise_to"


def test_nothing_was_checked_yet_so_the_first_function_is_meant_and_all_is_closed(workspace, state):
    opened = hints(workspace, state, "forward.py")
    assert (opened.function, opened.hints, opened.attempts) == ("linear_betas", (), 0)


def test_the_first_function_that_fails_is_meant_unless_one_is_named(workspace, state):
    attempt(state, "a", "forward_step", "noise_to")
    assert hints(workspace, state, "forward.py").function == "forward_step"
    assert hints(workspace, state, "forward", "noise_to").function == "noise_to"


def test_a_file_that_passes_needs_no_hint(workspace, state):
    attempt(state, "a")
    assert hints(workspace, state, "forward.py") is None


def test_what_was_opened_is_remembered(workspace, state):
    attempt(state, "a", "forward_step")
    hints(workspace, state, "forward.py")
    assert [(event.subject, event.facts["level"]) for event in state.events("hint")] == [("forward.forward_step", 1)]


def told(act):
    with pytest.raises(UsageError) as error:
        act()
    return str(error.value)


def test_an_unknown_function_is_told_with_the_near_one(workspace, state):
    assert told(lambda: hints(workspace, state, "forward.py", "noise_too")) == "forward has no function `noise_too`\n  fix: did you mean `noise_to`?"
    assert told(lambda: hints(workspace, state, "forward.py", "xyz")) == (
        "forward has no function `xyz`\n  fix: take one of linear_betas, alpha_bars, forward_step, noise_to, predict_x0"
    )


def test_the_practice_questions_have_a_working_instead_of_hints(workspace, state):
    assert told(lambda: hints(workspace, state, "answers.yaml")) == (
        "there are no hints for answers.yaml\n  fix: practise instead: `course practice` shows the working after each answer"
    )


def test_a_fault_in_the_hints_is_the_authors_with_file_and_line(tmp_path):
    folder = tmp_path / "exercises" / "01_x"
    folder.mkdir(parents=True)
    (folder / "hints.yaml").write_text("sums:\n  hint: [a]\n")
    with pytest.raises(CourseError) as error:
        read_hints(tmp_path, "01_x")
    assert str(error.value) == "exercises/01_x/hints.yaml:2: `sums`: there is no key `hint`\n  fix: the keys are objectives, sections, minutes, functions"


# ---- progress


def of(found, objective):
    return next(one for one in found if one.objective == objective)


def test_a_fresh_workspace_stands_at_nothing(workspace, state):
    for standing in standings(workspace, state):
        assert (standing.read.done, standing.practised.done, standing.checked.done) == (0, 0, 0)
        assert min(standing.read.of, standing.practised.of, standing.checked.of) > 0
        assert standing.due is None


def test_what_is_read_practised_and_checked_is_counted_where_it_belongs(workspace, state):
    state.add("read", "one-step-by-hand")
    for seed in range(3):
        state.add("practice", "fresh-step", seed=seed, right=True)
    attempt(state, "a")
    standing = of(standings(workspace, state), "forward-step")
    assert (standing.read.done, standing.practised.done, standing.checked.done) == (1, 1, 1)
    assert standing.checked.following == "schedule"


def test_a_file_that_passed_and_then_fails_is_not_done(workspace, state):
    attempt(state, "a")
    attempt(state, "b", "noise_to")
    assert of(standings(workspace, state), "forward-step").checked.done == 0


def test_due_cards_are_those_that_the_deck_tells(workspace, state):
    due = Counter({one.id: place for place, one in enumerate(workspace.lesson.objectives)})
    assert [standing.due for standing in standings(workspace, state, CardsLeft(due, 3))] == list(range(len(due)))


def test_the_next_command_is_to_read_to_write_to_practise_the_core_or_to_hand_in(workspace, state):
    """What is optional holds up nothing, and practice begins with what `course practice` asks."""

    def following():
        return advice(workspace, state, standings(workspace, state)).command

    assert following() == "course read why-a-third-family"
    state.add("read", "guidance")
    assert following() == "course read systems"  # on from where reading stopped
    for section in workspace.lesson.main:
        state.add("read", section.id)
    assert following() == "course check schedule.py"  # the first objective has no core question
    for exercise in workspace.lesson.exercises:
        attempt(state, "a", exercise=exercise.id)
    assert following() == f"course practice {choose(workspace.lesson, state, None).id}"
    for question in (one for one in workspace.lesson.questions if one.core):
        for seed in range(3):
            state.add("practice", question.id, seed=seed, right=True)
    assert following() == "course submit"


def test_the_plan_counts_what_is_left(workspace, state):
    fresh = plan(workspace, state, CardsLeft(Counter({"forward-step": 3, "training-loss": 2}), 1))
    assert fresh == Plan(workspace.lesson.minutes, 3, 5, 1, "schedule", 25)
    assert plan_line(fresh) == "Today: 14 min reading left, 3 core questions, 5 cards due, 1 new card, next schedule.py (25 min)"
    for section in workspace.lesson.main[:-1]:
        state.add("read", section.id)
    attempt(state, "a", exercise="schedule")
    left = plan(workspace, state)
    assert (left.minutes in range(1, 4), left.due, left.new, left.exercise) == (True, 0, 0, "forward")
    assert plan_line(Plan(0, 0, 0, 0, None, 0)) == "Today: nothing is left"


def test_one_reads_on_after_what_was_read_last_and_then_what_was_left_out(workspace, state):
    first, second, *_ = workspace.lesson.main
    assert next_section(workspace.lesson, state) == first
    state.add("read", second.id)
    assert next_section(workspace.lesson, state) == workspace.lesson.main[2]
    state.add("read", "derivations")  # of the appendix: no place to go on from
    assert next_section(workspace.lesson, state) == first
    for section in workspace.lesson.main[2:]:
        state.add("read", section.id)
    assert next_section(workspace.lesson, state) == first
    state.add("read", first.id)
    assert next_section(workspace.lesson, state) is None


def test_one_reads_on_where_one_was_though_it_isnt_read_to_its_end(workspace, state):
    lesson = workspace.lesson
    state.add("reading", lesson.main[4].id)
    assert next_section(lesson, state) == lesson.main[4]
    assert advice(workspace, state, standings(workspace, state)).command == f"course read {lesson.main[4].id}"
    state.add("read", lesson.main[4].id)
    assert next_section(lesson, state) == lesson.main[5]
    assert standings(workspace, state)[0].read.done <= 1  # where one was isn't read


def test_the_totals_are_what_the_course_holds(workspace):
    """Each exercise belongs to a section, so that it is met while one reads."""
    lesson, found = workspace.lesson, {total.what: (total.core, total.optional) for total in totals(workspace.lesson)}
    assert found["section"] == (len(lesson.main), len(lesson.sections) - len(lesson.main))
    assert found["question"] == (3, len(lesson.questions) - 3)
    assert found["card"] == (30, len(lesson.cards) - 30)
    assert found["file"] == (len(lesson.exercises), 0)


def test_every_exercise_and_card_is_met_after_a_section(workspace):
    work = work_after(workspace.root, workspace.lesson)
    assert {exercise for after in work.values() for exercise in after.exercises} == {one.id for one in workspace.lesson.exercises}
    assert work["one-step-by-hand"].question.id == "fresh-step"
    assert work["guidance"].question.id == "guidance-trajectory"  # the core first
    appendix = {section.id for section in workspace.lesson.sections if section.appendix}
    assert sum(after.cards for after in work.values()) == sum(card.section not in appendix for card in workspace.lesson.cards)
