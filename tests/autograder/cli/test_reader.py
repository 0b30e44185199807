"""The lesson and its map as a terminal shows them."""

import io
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console
from rich.markdown import Markdown

from autograder.author.lint.context import LintContext
from autograder.cli.passages import for_terminal, passages
from autograder.cli.reader import _notes, explain
from autograder.cli.views import map_table
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.model import Section
from autograder.learner.progress import work_after

TINY = Path(__file__).parents[2] / "broken_courses" / "tiny"


def printed(renderable):
    """Print as on a terminal of a hundred columns."""
    console = Console(file=io.StringIO(), width=100)
    console.print(renderable)
    return console.file.getvalue()


def test_one_section_is_shown_without_comments_ids_and_markup():
    """Numbers without their expressions, formulas as text, answers unfolded, pictures in words."""
    [lesson] = read_course(TINY).lessons
    assert for_terminal(lesson, "what-a-sum-is") == (
        "## What a sum is\n\n"
        "Two and a half and one third make 2.833. Taking away instead gives\n"
        "**2.167**. Measured here: 0.125 seconds. See [carrying](#carrying).\n\n"
        "**Predict first: is the order of the two important?**\n\n"
        "> No: a + b = b + a.\n\n"
        "*Image: Two bars, and one as long as both*\n"
    )


@pytest.mark.parametrize(
    ("answer", "asked", "told"),
    [
        ("- [x] No.\n- [ ] Yes,\n  it is.\n\nSee.", "**Predict first: is it?**\n\n- No.\n- Yes, it is.\n\n", "> **No.**\n> \n> See."),
        ("**2.5**\n\nSee.", "**Predict first: is it?**\n\n", "> **2.5**\n> \n> See."),
        ("- [ ] No.\n- [x] Yes.", "**Predict first: is it?**\n\n- No.\n- Yes.\n\n", "> **Yes.**"),
    ],
)
def test_what_can_be_chosen_is_shown_before_the_key_and_the_answer_after_it(answer, asked, told):
    [lesson] = read_course(TINY).lessons
    text = f"## One {{#one}}\n<details><summary>Predict first: is it?</summary>\n\n{answer}\n\n</details>\n"
    lesson = structs.replace(lesson, text=text, sections=(Section("one", "One", 1),))
    assert for_terminal(lesson, "one") == f"## One\n{asked}{told}\n"
    assert [passage.text for passage in passages(lesson, "one") if passage.is_answer] == [told]


def test_a_section_ends_with_what_to_do_and_a_card_that_opens_it_does_not(root):
    [lesson] = [each for each in read_course(root).lessons if each.id == "12_diffusion"]
    cards = sum(card.section == "one-step-by-hand" for card in lesson.cards)
    last = f"\n\n**Now you:** `course practice fresh-step`, `course check forward.py`, {cards} cards in `course review`\n"
    assert for_terminal(lesson, "one-step-by-hand", work_after(root, lesson)).endswith(last)
    assert "Now you" not in for_terminal(lesson, "one-step-by-hand")


def test_a_mistake_is_a_footnote_of_its_section(root, diffusion):
    """Numbered where the text warns of it, told before what to do; of a belief that nobody computes, it is the card about it."""
    text = for_terminal(diffusion, "one-step-by-hand", work_after(root, diffusion), _notes(root, diffusion))
    assert "the squares of the two factors add up to 1. ¹ ²\n" in text
    footnotes = text.partition("1. *Mistake, beta as standard deviation:* ")[2]
    assert footnotes.startswith("`sqrt(1 - beta) * x + beta * eps` The pixel above becomes 0.729, not 0.664: ")
    assert "You scaled the noise by β. β is the noise's variance: multiply ε by its square root.\n2. *Mistake, missing root on signal:* " in footnotes
    assert "**Now you:**" in footnotes
    belief = for_terminal(diffusion, "faster", notes=_notes(root, diffusion))
    assert "*Mistake, more steps are better:* “Ten times the steps, ten times the quality.” " in belief
    assert not any(mark in belief for mark in ("<!--", "$", "\\"))


def test_a_table_stays_a_table():
    """The expression above it goes without leaving a gap that would break the table from its text."""
    [lesson] = read_course(TINY).lessons
    assert for_terminal(lesson, "carrying") == "## Carrying\n\n| n | n + 1/3 | kind |\n|---|---|---|\n| 1 | 1.333 | odd |\n| 2 | 2.333 | even |\n"


def test_the_whole_lesson_begins_with_its_title(root):
    """No front matter, no comment, no dollar and no backslash is left."""
    assert for_terminal(read_course(TINY).lessons[0]).startswith("# Adding\n\n## What a sum is\n")
    for lesson in read_course(root).lessons:
        text = for_terminal(lesson)
        assert not any(mark in text for mark in ("<!--", "<details>", "{#", "$", "\\"))
        assert printed(Markdown(text))


def test_an_unknown_section_asks_whether_another_was_meant():
    [lesson] = read_course(TINY).lessons
    with pytest.raises(UsageError) as error:
        for_terminal(lesson, "carying")
    assert str(error.value) == "there is no section `carying` in 13_adding\n  fix: did you mean `carrying`?"
    with pytest.raises(UsageError) as error:
        for_terminal(lesson, "x")
    assert str(error.value) == "there is no section `x` in 13_adding\n  fix: take one of what-a-sum-is, carrying"


def test_the_map_shows_every_cell():
    """A row for each objective, ids or counts in the columns."""
    course = read_course(TINY)
    table = printed(map_table(LintContext(TINY, course.lessons[0])))
    assert all(word in table for word in ("add", "what-a-sum-is", "fresh-sum", "sums", "2", "taken_away"))
    assert "none" not in table


def test_nothing_between_two_comments_is_lost(root):
    """Every section of the real lesson is shown whole: each of its words that stands outside a comment."""
    [lesson] = [each for each in read_course(root).lessons if each.id == "12_diffusion"]
    shown = for_terminal(lesson)
    assert [section.title for section in lesson.main if f"## {section.title}\n" not in shown] == []
    assert "The bar matters" in shown
    assert "<!--" not in shown


def test_the_appendix_is_read_on_demand(diffusion):
    """The lesson ends with what there is in it, and how to open it."""
    main, appendix = for_terminal(diffusion).split("**Appendix**\n\n")
    assert appendix.startswith("- Derivations: `course read derivations`\n")
    assert "## The same letters in other courses" not in main
    assert for_terminal(diffusion, "notation").startswith("## The same letters in other courses\n")


# ---- a mistake's id


@pytest.fixture(scope="module")
def diffusion(root):
    """The lesson."""
    return next(lesson for lesson in read_course(root).lessons if lesson.id == "12_diffusion")


@pytest.mark.parametrize("wanted", ["beta_as_standard_deviation", "beta-as-standard-deviation", "beta-as-std"])
def test_a_mistakes_id_leads_to_its_sentence_and_its_section(diffusion, wanted):
    assert explain(diffusion, wanted) == (
        "**beta_as_standard_deviation, in `forward_step`**\n\n"
        "You scaled the noise by β. β is the noise's variance: multiply ε by its square root.",
        "one-step-by-hand",
    )


def test_what_nothing_computes_leads_to_what_the_lesson_says_of_it(diffusion):
    text, section = explain(diffusion, "more-guidance")
    assert text.startswith("**more_guidance_is_better**\n\n**More is not better.** As w grows, images follow the caption more closely")
    assert section == "guidance"
    assert "<!--" not in text


def test_an_unknown_mistake_is_told(diffusion):
    with pytest.raises(UsageError) as error:
        explain(diffusion, "zzz")
    assert str(error.value) == "no mistake is called `zzz` in 12_diffusion\n  fix: take an id as your feedback names it"
