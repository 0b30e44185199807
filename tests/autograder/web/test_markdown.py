"""An author's Markdown as HTML."""

import re
from html import unescape

import pytest
from msgspec.structs import replace

from autograder.course.loading import read_course
from autograder.course.text import uncommented
from autograder.grading.questions import VARIANTS
from autograder.web.markdown import Prose, mathml
from autograder.web.pages import frame_of
from autograder.web.reading import reading


def plain(html):
    """What a reader sees of HTML, formulas left out."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<math.*?</math>|<[^>]*>", " ", html, flags=re.DOTALL)).strip())


def test_markup_in_a_text_stays_text():
    assert Prose().line("one <script>alert(1)</script> & two") == "one &lt;script&gt;alert(1)&lt;/script&gt; &amp; two"
    assert Prose().blocks("[a](javascript:alert(1))\n") == "<p>[a](javascript:alert(1))</p>\n"


def test_formulas_become_mathml_and_code_stays_code():
    html = Prose().line("$x_t$ and `$x_t$` for \\$5")
    assert html.startswith('<math aria-label="xₜ"')
    assert "<msub><mi>x</mi><mi>t</mi></msub>" in html
    assert html.endswith("and <code>$x_t$</code> for $5")


def test_letters_that_browsers_do_not_turn_are_turned_here():
    """`mathvariant` is not drawn by browsers any more, and a plain tilde is no relation."""
    made = mathml(r"\varepsilon \sim \mathcal N(0, I)")
    assert "<mi>𝒩</mi>" in made
    assert "<mo>∼</mo>" in made
    assert "mathvariant" not in made


def test_a_chain_of_equations_may_break_between_them():
    assert mathml("a = b = c").count("<math ") == 3
    assert mathml("a = b").count("<math ") == 1
    assert mathml("a = b = c", block=True).count("<math ") == 1


def test_a_folded_answer_is_folded_and_its_question_stands_outside():
    html = Prose().blocks("<details><summary>Predict first: is $a$ *big*?</summary>\n\nYes: 3.\n\n</details>\n")
    assert plain(html) == "Predict first Is big ? Compare with the answer Show the answer without a guess Yes: 3."
    assert html.startswith('<div class="predict" role="group" aria-labelledby="predict-')
    assert html.index("<form") < html.index("<details>") < html.index("Yes: 3.")
    assert 'type="text" name="guess"' in html
    assert "The answer" not in html  # there is only what explains it


@pytest.mark.parametrize(
    ("answer", "field", "told"),
    [
        ("- [ ] *Up*.\n- [x] Down.\n\nGravity.", '<input type="radio" name="guess" value="1"><span>Down.</span>', "<dd>Down.</dd>"),
        ("- [x] Up.\n- [x] Down.\n- [ ] $a$", '<input type="checkbox" name="guess" value="0">', "<dd>Up.; Down.</dd>"),
        ("**−0.1**<!--= -0.1 -->\n\nWith a minus.", 'inputmode="decimal" class="number"', "<dd>−0.1</dd>"),
    ],
)
def test_a_guess_is_a_choice_or_a_number_where_the_answer_is_one(answer, field, told):
    html = Prose().blocks(f"<details><summary>Predict first: where?</summary>\n\n{answer}\n\n</details>\n")
    form, _, rest = html.partition("<details>")
    assert field in form
    assert f"<dt>The answer</dt>{told}" in rest
    assert "[x]" not in html


def test_what_a_paragraph_warns_of_is_noted_after_it():
    text = "One.\n\n<!-- misconception: a, b -->\nTwo\nlines.\n\nThree<!-- misconception: c --> words.\n"
    html = Prose(note=lambda misconception: f"<i>{misconception}</i>" if misconception != "b" else "").blocks(text)
    assert html == "<p>One.</p>\n<p>Two\nlines.</p>\n<i>a</i>\n<p>Three words.</p>\n<i>c</i>\n"


def test_a_source_with_an_address_is_a_link_beside_its_sentence():
    html = Prose().blocks("True<!-- source: Ho et\nal. 2020, arXiv:2006.11239, section 4; CS231n, lecture 14 -->. Nothing else<!-- source: a book -->.\n")
    link = '<a href="https://arxiv.org/abs/2006.11239" title="Ho et al. 2020, arXiv:2006.11239, section 4">Ho 2020</a>'
    assert html == f'<p>True<sup class="source">{link}</sup>. Nothing else.</p>\n'


def test_the_address_of_a_paper_is_a_link_and_other_code_stays_code():
    html = Prose().line("`arXiv:2006.11239`, `doi:10.1000/x`, `https://a.org/b.pdf` and `x = 2006.11239`")
    addresses = re.findall('<a href="([^"]*)"', html)
    assert addresses == ["https://arxiv.org/abs/2006.11239", "https://doi.org/10.1000/x", "https://a.org/b.pdf"]
    assert "<code>x = 2006.11239</code>" in html


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
    html = re.sub('<sup class="source">.*?</sup>|<p class="symbols">.*?</p>|<p role="status">.*?</form>|<summary><span>Show.*?</summary>|<dl class="compared".*?</dl>|<details class="mistake">.*?</details>|<span>[−0-9.]+</span>|<figure class="curve".*?</figure>', "", html, flags=re.DOTALL)
    words = re.sub(r"\$\$.*?\$\$|ε_[a-z]+|\$[^$\n]*\$|^#+ [^\n]*$|!\[.*?\]\(.*?\)|\]\(#[^)]*\)|</?\w+>|Predict first:|^- \[[x ]\]|^\*\*[−0-9.]+\*\*(?: from [^\n]*)?$|\|[-|]+\|", " ", uncommented(lesson.text), flags=re.DOTALL | re.MULTILINE)
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


def test_python_opens_on_demand_and_other_code_is_shown():
    """It says what the formula above it says; a `<` in it is text."""
    python, other = (Prose().blocks(f"$$a$$\n\n```{kind}\na < 1  # $b$\n```") for kind in ("python", ""))
    code = '<pre tabindex="0"><code>a &lt; 1  # $b$</code></pre>'
    assert python.endswith(f'<details class="code"><summary>In Python</summary>{code}\n</details>\n')
    assert other.endswith(f"{code}\n")
    assert "<details" not in other


@pytest.mark.parametrize(("heights", "drawn"), [("0 0.5 1", True), ("", False), ("1", False), ("0 0", False), ("0 half", False)])
def test_a_curve_that_an_author_has_not_finished_is_not_drawn(heights, drawn):
    html = Prose().blocks(f"<details><summary>Predict first: where?</summary>\n\n**5** from 0 to 10\n<!-- curve: share; f(); {heights} -->\n\nHere.\n</details>\n")
    assert ("<figure" in html) == drawn
