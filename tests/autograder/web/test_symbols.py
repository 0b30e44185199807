"""Maths is set alike everywhere: no variable stands upright on a page, whether the site or its scripts write it."""

import json
import re
from html import escape, unescape

import pytest

from autograder.course.loading import read_hints
from autograder.grading.sentences import sentences_of
from autograder.web.markdown import mathml, with_symbols
from tests.autograder.web.test_browser import all_in_place
from tests.courses import ROOT

UPRIGHT = re.compile(r"[Α-Ωα-ω]|(?<![\w\u0300-\u036f'’-])[b-zB-HJ-Z](?![\w'’-])|[A-Za-z]_\w")
STAYS = re.compile(r"<(head|code|pre|math|script|style|template|option|kbd|textarea)\b.*?</\1>|<span class=\"hidden\">.*?</span>", re.DOTALL)
HELD = {  # what no line ends within
    "noise ε = −0.3, or x<0.": ["ε = −0.3,", "x<0."],
    "w · (ε − x_t), then": ["w ·", "(ε −", "xₜ),"],
    "the mistake: √(1 − ᾱ) · ε": ["√(1 − ᾱ) ·"],
    "64 × 64 × 4 = 16,384 numbers": ["64 ×", "64 ×", "4 ="],
    "0.59 · 1 + 0.41 · (−1) & t > 2": ["0.59 ·", "1 +", "0.41 ·", "t > 2"],
    "β’s part from x_0. A jump to t": ["β’s", "from x₀.", "to t"],
    "x_t = 0.8 · x + √β·ε → (w)": ["xₜ = 0.8 ·", "x +", "√β·", "ε →", "(w)"],
    "a word = b, of x_0 and w": ["word =", "b,", "and w"],
}
TEXTS = """() => {
  const walker = document.createTreeWalker(document.getElementById("main"), NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("math, code, pre, script, style, template, option, kbd, noscript, tspan, textarea, .hidden")) found.push(walker.currentNode.data);
  return found;
}"""


def test_no_variable_is_upright_on_any_page_of_the_site(written):
    """Not in the lesson and its glossary, on cards, in questions and their marks, on mistakes, and on the home page."""
    upright = {}
    for page in written.place.glob("*.html"):
        html = page.read_text(encoding="utf-8")
        text = unescape(re.sub(r"<[^>]*>", "¦", STAYS.sub("", html)))
        if found := [text[max(0, one.start() - 20) : one.end() + 20] for one in UPRIGHT.finditer(text)]:
            upright[page.name] = found
    for script in written.place.glob("answers/*.js"):
        told = json.loads(script.read_text(encoding="utf-8").removeprefix("course.provide(").removesuffix(");\n"))
        marks = [note["line"] for one in told.get("variants", []) for part in one["parts"] for note in part["notes"].values()]
        lines = [*marks, *(line for one in told.get("variants", []) for line in one["working"])]
        if found := [line for line in lines if UPRIGHT.search(unescape(re.sub(r"<[^>]*>", "¦", STAYS.sub("", line))))]:
            upright[script.name] = found
    assert upright == {}


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("name", ["lesson.html", "play.html", "cards.html"])
def test_no_variable_is_upright_once_all_can_be_played_with(visit, written, name, width):
    page = visit((written.place / name).as_uri(), width=width)
    all_in_place(page)
    assert [text for text in page.evaluate(TEXTS) if UPRIGHT.search(text)] == []
    assert page.locator("math:not([aria-label], .formula *)").count() == 0  # or the name of a field would lack it


def test_a_letter_alone_is_set_as_in_a_formula():
    """The very same markup, so the same letter in the same font."""
    for text, formula in (("ε̂_cond", r"\hat\varepsilon_\text{cond}"), ("x_{t−1}", "x_{t-1}"), ("ᾱ_T", r"\bar\alpha_T"), ("w", "w")):
        assert unescape(with_symbols(text)).partition(">")[2] == unescape(mathml(formula)).partition(">")[2]


@pytest.mark.parametrize("text", HELD)
def test_no_line_ends_within_a_term_or_before_an_operator(text):
    html = with_symbols(escape(text, quote=False))
    held = re.findall(r'<span class="held">(.*?)</span>', re.sub(r'<math aria-label="(.*?)".*?</math>', r"\1", html))
    assert list(map(unescape, held)) == HELD[text]


def test_code_links_and_what_is_held_already_stay():
    for html in ("<code>a = 2 b</code>", '<a href="a = 2 b">word</a>', '<span class="held">(<math aria-label="x"><mi>x</mi></math> =</span> 2'):
        assert with_symbols(html) == html


def test_scripts_set_the_same_letters_in_the_same_way(visit, written, site):
    """`symbols.js` and `symbols.py`, for every sentence of the course that both could be given."""
    lesson = site.session.lesson
    hints = [hint for one in read_hints(ROOT, lesson.id).values() for each in one.functions.values() for hint in each]
    cards = [side for card in lesson.cards for side in (card.front, card.back, card.cloze)]
    texts = [*hints, *cards, *sentences_of(lesson).values(), *HELD, "w′ and σ², x̂₀ of xₜ₋₁; U-Net, T5, a t-shirt, 3 s, w's e.g. I and betas[t]: ẑ_end ¦ 1..T; <b>bold</b>"]
    texts = [re.sub(r"\$[^$]*\$|`[^`]*`|[{}]{2}", "¦", text) for text in texts if text]
    script = """async (texts) => {
      const { withSymbols } = await course.use("static/symbols.js");
      return texts.map((text) => { const node = document.createElement("p"); node.textContent = text; return withSymbols(node).innerHTML; });
    }"""
    made = visit((written.place / "search.html").as_uri()).evaluate(script, texts)

    def bare(html):
        return unescape(re.sub(r"<(\w+) [^>]*>", r"<\1>", html))

    assert all("held" in html for html in made if "</math>." in html)
    assert [bare(html) for html in made] == [bare(with_symbols(escape(text, quote=False))) for text in texts]
