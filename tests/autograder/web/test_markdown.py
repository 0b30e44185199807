"""An author's Markdown as HTML."""

import re
from html import unescape

import pytest
from msgspec.structs import replace

from autograder.course.loading import read_course
from autograder.course.text import uncommented
from autograder.grading.questions import VARIANTS
from autograder.web.markdown import Prose, mathml
from autograder.web.pages import frame_of, reading


def plain(html):
    """What a reader sees of HTML, formulas left out."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<math.*?</math>|<[^>]*>", " ", html, flags=re.DOTALL)).strip())


def test_markup_in_a_text_stays_text():
    assert Prose().line("a <script>alert(1)</script> & b") == "a &lt;script&gt;alert(1)&lt;/script&gt; &amp; b"
    assert Prose().blocks("[a](javascript:alert(1))\n") == "<p>[a](javascript:alert(1))</p>\n"


def test_formulas_become_mathml_and_code_stays_code():
    html = Prose().line("$x_t$ and `$x_t$` for \\$5")
    assert html.startswith('<math alttext="xₜ"')
    assert "<msub><mi>x</mi><mi>t</mi></msub>" in html
    assert html.endswith("and <code>$x_t$</code> for $5")


def test_letters_that_browsers_do_not_turn_are_turned_here():
    """`mathvariant` is not drawn by browsers any more, and a plain tilde is no relation."""
    made = mathml(r"\varepsilon \sim \mathcal N(0, I)")
    assert "<mi>𝒩</mi>" in made
    assert "<mo>&#x0223C;</mo>" in made
    assert "mathvariant" not in made


def test_a_chain_of_equations_may_break_between_them():
    assert mathml("a = b = c").count("<math ") == 3
    assert mathml("a = b").count("<math ") == 1
    assert mathml("a = b = c", block=True).count("<math ") == 1


def test_a_folded_answer_is_folded_and_its_question_stands_outside():
    html = Prose().blocks("<details><summary>Predict first: is $a$ *big*?</summary>\n\nYes: 3.\n\n</details>\n")
    assert plain(html) == "Predict first Is big ? Yes: 3."
    assert html.startswith('<details class="predict"><summary><span class="label">Predict first</span> Is <math')
    assert html.rstrip().endswith("<p>Yes: 3.</p>\n</details>")


def test_a_picture_has_a_light_and_a_dark_form_and_its_caption(tmp_path):
    (tmp_path / "f-light.svg").write_text('<svg xmlns="x" width="72pt" height="36pt" viewBox="0 0 1 1">')
    html = Prose(tmp_path).blocks('![A "dog"](f-light.svg)\n\n*What it shows.*\n')
    assert html == (
        '<figure><img class="in-light" src="f-light.svg" alt="A &quot;dog&quot;" loading="lazy" width="96" height="48">'
        '<img class="in-dark" src="f-dark.svg" alt="A &quot;dog&quot;" loading="lazy" width="96" height="48">'
        "<figcaption><em>What it shows.</em></figcaption>\n</figure>\n"
    )


def test_an_image_of_another_lesson_is_found_below_its_id(tmp_path):
    (tmp_path / "f-light.svg").write_text('<svg xmlns="x" width="72pt" height="36pt" viewBox="0 0 1 1">')
    html = Prose(tmp_path, at="13_edges/").blocks("![A dog](f-light.svg)")
    assert 'src="13_edges/f-light.svg"' in html
    assert 'src="13_edges/f-dark.svg"' in html


def test_the_whole_lesson_is_on_the_page_with_its_computed_numbers(root):
    """All words between the comments are there, in their order, section by section."""
    [lesson] = [one for one in read_course(root).lessons if one.id == "12_diffusion"]
    made = reading(replace(frame_of(root, lesson, (), served=False, kept=False), widgets={}))
    assert [part.id for part in made.parts] == [section.id for section in lesson.sections]
    html = made.introduction + "".join(part.html for part in made.parts)
    words = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|^#+ [^\n]*$|!\[.*?\]\(.*?\)|\]\(#[^)]*\)|</?\w+>|Predict first:|\|[-|]+\|", " ", uncommented(lesson.text), flags=re.DOTALL | re.MULTILINE)
    wanted = re.findall(r"[^\W_]{3,}|[0-9.]{3,}", words)
    found = re.findall(r"[^\W_]{3,}|[0-9.]{3,}", plain(html))
    assert [word.lower() for word in found if word.lower() not in ("predict", "first")] == [
        word.lower() for word in wanted if word.lower() not in ("predict", "first")
    ]
    assert "&lt;" not in html
    assert "<!--" not in html
    assert "\ue000" not in html


def test_every_formula_of_the_course_becomes_mathml(root):
    for lesson in read_course(root).lessons:
        texts = [lesson.text, *(text for card in lesson.cards for text in (card.front, card.back)), *(question.text for question in lesson.questions)]
        assert [text for text in texts if "$" in re.sub(r"<code>.*?</code>", "", Prose().blocks(text))] == []


@pytest.mark.parametrize("seed", [None, 0, VARIANTS - 1])
def test_every_question_can_be_asked(site, seed):
    """Each kind of question, published and fresh, becomes a page with something to answer in."""
    from tests.autograder.web.test_guard import ask

    for question in site.session.lesson.questions:
        status, _, text = ask(f"{site.address}question-{question.id}.html" + (f"?seed={seed}" if seed is not None else ""))
        assert status == 200
        assert 'name="answer' in text
        assert "[[" not in text
