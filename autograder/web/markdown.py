"""The author's Markdown as HTML: formulas as MathML, images in a light and a dark version, raw HTML as text.

Formulas, folded answers and widgets are replaced by marks before Markdown is parsed, and put back afterwards. Never use this for
students' text: templates escape that.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from autograder.course.glossary import Entry, symbols_in
from autograder.course.lesson_text import LABEL, SOURCE, Curve, Prediction, address, plain_number, prediction, sources_in, warned_of
from autograder.course.loading import PLACED
from autograder.course.symbols import STAYS, Symbol, in_latex, replaced
from autograder.course.text import FOLDED, in_unicode, uncommented

_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|(?<!\\)\$(?P<inline>[^$\n]+)\$", re.DOTALL)
_PLACE = re.compile("<p>\ue000([0-9]+)\ue001</p>|\ue000([0-9]+)\ue001")
_HEADED = re.compile(r'(<th scope="col">)(<math aria-label="([^"]*)".*?</math></th>)', re.DOTALL)  # screen readers read a heading's text
_SIZE = re.compile(r'<svg[^>]* width="([0-9.]+)pt" height="([0-9.]+)pt"')
_EQUALS = re.compile(r"(?<![_^{])=(?![^{]*\})")
_SCRIPT = re.compile(r'<mi mathvariant="(?:script|double-struck)">(.)</mi>')
_ACCENT = re.compile(r"<mover>(<mi>[^<]*</mi>)<mo[^>]*>([¯~→˙])</mo></mover>")
_NAMESPACE = re.compile(' xmlns="http://www.w3.org/1998/Math/MathML"| display="inline"')  # what HTML takes for granted
_LETTERS = {"N": "𝒩", "L": "ℒ", "U": "𝒰", "D": "𝒟", "E": "𝔼", "R": "ℝ"}
_MATH = r"<math (?:(?!</math>).)*</math>"
_INK = r"[^\s<>]"
_OPERATOR = r"(?:[=≈∼≤≥+−·×→]|&[lg]t;)(?= )"
_HELD = re.compile(  # `symbols.js` has the same rules
    rf"(?P<held>(?:(?<!{_INK})(?:(?:{_INK}*\d [+−·×] )?{_INK}*|{_INK}{{1,4}} (?={_MATH}(?:[.?!]|\Z)(?!{_INK}))))?(?P<formula>{_MATH})"
    rf"(?: (?:[=≈≤≥]|&[lg]t;) [−-]?\d{_INK}*|{_INK}*)(?: {_OPERATOR})?|(?<!{_INK}){_INK}+ {_OPERATOR})"
    rf'|<span class="held">.*?</span>|{STAYS}',
    re.DOTALL,
)
_ENTITY = re.compile("&#x([0-9A-F]+);")
_PIXELS = 4 / 3  # in a point

Host = Callable[[str], str]


class Prose:
    """Renders texts of one lesson. `folder` contains its images, which a page finds `at` a path.

    `host` returns the HTML of a widget by its id, and `note` that of a misconception which a paragraph warns of. A text's first use of a
    term of the `glossary` is a link to it, and below a displayed formula is one to its symbols.
    """

    def __init__(
        self,
        folder: Path | None = None,
        host: Host = lambda widget: "",
        at: str = "",
        note: Host = lambda misconception: "",
        glossary: Sequence[Entry] = (),
    ):
        self._folder, self._host, self._at, self._note, self._glossary = folder, host, at, note, glossary

    def blocks(self, text: str) -> str:
        """Render paragraphs, tables and images as HTML."""
        return self._blocks(text, self._glossary)

    def _blocks(self, text: str, glossary: Sequence[Entry]) -> str:
        kept: list[str] = []
        text = PLACED.sub(lambda match: _keep(kept, self._host(match["id"])), text)
        text = FOLDED.sub(lambda match: _keep(kept, self._predicted(match)), text)
        text = SOURCE.sub(lambda match: _keep(kept, _cited(match["words"]), paragraph=False), text)
        text = "\n\n".join(
            block + _keep(kept, notes) if (notes := "".join(map(self._note, warned_of(block)))) else block for block in text.split("\n\n")
        )
        parser = _parser()
        tokens = _figures(parser.parse(_formulas_out(uncommented(text), kept, glossary)))
        _mark_terms(tokens, [entry for entry in glossary if not entry.is_symbol])
        return _put_back(parser.renderer.render(tokens, parser.options, {"folder": self._folder, "at": self._at}), kept)

    def line(self, text: str) -> str:
        """Turn a line of text into HTML without a paragraph around it."""
        kept: list[str] = []
        found = _parser().renderInline(_formulas_out(uncommented(text), kept), {"folder": self._folder, "at": self._at})
        return _put_back(found, kept)

    def _predicted(self, folded: re.Match[str]) -> str:
        """Render a question, what a guess is made with, and the answer, which is closed."""
        told = prediction(folded)
        name = f"predict-{crc32(told.question.encode()):08x}"
        label = '<span class="label">Predict first</span> ' if folded["question"].startswith(LABEL) else ""
        question = f'<p class="asked" id="{name}">{label}{self.line(told.question[:1].upper() + told.question[1:])}</p>'
        answer = f"<div><dt>The answer</dt><dd>{self.line(told.answer)}</dd></div>" if told.answer else ""
        return (
            f'<div class="predict" role="group" aria-labelledby="{name}">{question}{self._guess(told, name)}'
            "<details><summary><span>Show the answer without a guess</span></summary>"
            f'<dl class="compared" tabindex="-1">{answer}</dl>{_curve(told)}{self._blocks(told.explanation, ())}</details></div>'
        )

    def _guess(self, told: Prediction, name: str) -> str:
        """Render the form of a prediction: `predict.js` reads it, and nothing is sent."""
        kind = "checkbox" if len(told.right) > 1 else "radio"
        fields = [
            f'<label class="choice"><input type="{kind}" name="guess" value="{place}"><span>{self.line(choice)}</span></label>'
            for place, choice in enumerate(told.choices)
        ]
        keyboard = ' inputmode="decimal" class="number"' if told.number else ""
        field = "".join(fields) or f'<input type="text" name="guess" autocomplete="off" aria-labelledby="{name}"{keyboard}>'
        if told.ends:
            field = f'<div class="drag">{field}{_slider(told)}</div>'
        compare = '<p role="status"></p><button class="button">Compare with the answer</button>'
        return f'<form class="guess" data-needs="static/predict.js">{field}{compare}</form>'


def _slider(told: Prediction) -> str:
    """Render what a guess is dragged on, from one end of its range to the other."""
    low, high = told.ends
    ends = f'min="{plain_number(low):g}" max="{plain_number(high):g}" step="{10.0 ** -len(told.number.partition(".")[2]):g}"'
    return f'<span>{low}</span><input type="range" {ends} aria-label="Drag the mark to your guess"><span>{high}</span>'


def _curve(told: Prediction) -> str:
    """Render the curve that a number is looked up on; `predict.js` draws both marks on it."""
    heights = _heights(told.curve) if told.curve and told.ends else []
    bottom, top, last = min([0, *heights]), max([0, *heights]), len(heights) - 1
    if not told.curve or last < 1 or bottom == top:  # an author is still at it: `course lint` says what is missing
        return ""
    points = " ".join(f"{100 * place / last:g},{100 * (top - height) / (top - bottom):g}" for place, height in enumerate(heights))
    drawn = f'<svg viewBox="0 0 100 100" preserveAspectRatio="none"><polyline points="{points}"/></svg>'
    caption = f"<figcaption>{escape(told.curve.name)}, {bottom:g} to {top:g}</figcaption>"
    return f'<figure class="curve" aria-hidden="true">{caption}{drawn}</figure>'


def _heights(curve: Curve) -> list[float]:
    try:
        return [plain_number(height) for height in curve.heights]
    except ValueError:
        return []


def _cited(words: str) -> str:
    """Render the sources that have an address as links after what they are of."""
    return "".join(f'<sup class="source">{_link(one.address, escape(one.label), one.words)}</sup>' for one in sources_in(words))


def _link(address: str, html: str, title: str = "") -> str:
    about = f' title="{escape(title)}"' if title else ""
    return f'<a href="{escape(address)}"{about}>{html}</a>'


def _put_back(html: str, kept: list[str]) -> str:
    whole = _held(_PLACE.sub(lambda match: kept[int(match[1] or match[2])], replaced(html, _symbol)))
    return _HEADED.sub(lambda match: f'{match[1]}<span class="hidden">{match[3]}</span>{match[2]}', whole)


def mathml(formula: str, *, block: bool = False) -> str:
    """Convert a LaTeX formula to MathML that browsers draw well: script letters as characters, ∼ as a relation.

    An inline chain of equations becomes several formulas, and so does what `\\qquad` separates, so that the line can break between them.
    """
    if block and r"\qquad" in formula:
        return "".join(mathml(one, block=True) for one in formula.split(r"\qquad"))
    links = [] if block else _EQUALS.split(formula)
    if len(links) > 2:
        return "<wbr>".join(mathml(("{}=" if place else "") + link) for place, link in enumerate(links))
    made: str = convert(re.sub(r"\\!", "", formula), display="block" if block else "inline")
    name = "alttext" if block else "aria-label"  # the name of a button or a field has the formula only so
    made = made.removesuffix("</mrow></math>").replace("><mrow>", ">", 1) + "</math>"
    made = _NAMESPACE.sub("", made).replace("<math", f'<math {name}="{escape(in_unicode(formula))}"', 1)
    made = _SCRIPT.sub(lambda match: f"<mi>{_LETTERS.get(match[1], match[1])}</mi>", made)
    made = made.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")
    made = _ENTITY.sub(lambda match: escape(chr(int(match[1], 16))), made)
    return _ACCENT.sub(r'<mover accent="true">\1<mo>\2</mo></mover>', made)


def with_symbols(html: str) -> str:
    """Set the variables in the HTML of running text as formulas."""
    return _held(replaced(html, _symbol))


def _held(html: str) -> str:
    """Let no line end between a formula and what touches it, or before an operator: in "x = 0.8", "(1 − β)", "64 ×", "to x." at the end."""
    return _HELD.sub(lambda found: found[0] if found["held"] in (None, found["formula"]) else f'<span class="held">{found[0]}</span>', html)


@cache
def _symbol(symbol: Symbol) -> str:
    return mathml(in_latex(symbol))


def _formulas_out(text: str, kept: list[str], glossary: Sequence[Entry] = ()) -> str:

    def out(match: re.Match[str]) -> str:
        if match["inline"]:
            return _keep(kept, mathml(match["inline"]), paragraph=False)
        return _keep(kept, mathml(match["block"], block=True)) + _keep(kept, _symbols(match["block"], glossary))

    pieces = _CODE.split(text)
    return "".join(piece if place % 2 else _FORMULA.sub(out, piece).replace(r"\$", "$") for place, piece in enumerate(pieces))


def _symbols(formula: str, glossary: Sequence[Entry]) -> str:
    """Render what leads to the symbols of a formula, if the glossary has some of them."""
    found = " ".join(entry.id for entry in symbols_in(formula, glossary))
    return f'<p class="symbols"><a class="term" href="#glossary" aria-describedby="{found}">Symbols</a></p>' if found else ""


def _mark_terms(tokens: Sequence[Token], terms: list[Entry]) -> None:
    """Lead from the first use of each term in the paragraphs to the glossary; links, titles and code stay as they are."""
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type == "paragraph_open" and token.children:
            token.children = list(_marked(_joined(token.children), terms))


def _joined(children: Sequence[Token]) -> list[Token]:
    """Join the lines of a text, since terms are broken over lines, too."""
    made: list[Token] = []
    for child in children:
        text = "\n" if child.type == "softbreak" else child.content if child.type == "text" else None
        if text is not None and made and made[-1].type == "text":
            made[-1].content += text
        else:
            made.append(Token("text", "", 0, content=text) if text is not None else child)
    return made


def _marked(children: Sequence[Token], terms: list[Entry]) -> Iterator[Token]:
    within = 0
    for child in children:
        within += child.nesting * (child.tag in ("a", "em"))
        if within or child.type != "text":
            yield child
            continue
        rest = child.content
        while found := min(((match, entry) for entry in terms if (match := entry.pattern.search(rest))), key=_place, default=None):
            match, entry = found
            terms.remove(entry)
            link = f'<a class="term" href="#{entry.id}" aria-describedby="{entry.id}">{escape(match[0])}</a>'
            yield Token("text", "", 0, content=rest[: match.start()])
            yield Token("html_inline", "", 0, content=link)
            rest = rest[match.end() :]
        yield Token("text", "", 0, content=rest)


def _place(found: tuple[re.Match[str], Entry]) -> tuple[int, int]:
    """Return where a term was found; of several at one place, the longest comes first."""
    return found[0].start(), -len(found[0][0])


def _keep(kept: list[str], html: str, *, paragraph: bool = True) -> str:
    kept.append(f'<div class="formula">{html}</div>' if html.startswith("<math") and paragraph else html)
    mark = f"\ue000{len(kept) - 1}\ue001"
    return f"\n\n{mark}\n\n" if paragraph else mark


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("image", _image)
    parser.add_render_rule("code_inline", _code)
    parser.add_render_rule("fence", _fenced)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    parser.add_render_rule("th_open", _column)
    return parser


def _code(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Render the address of a paper as a link."""
    words = escape(tokens[place].content)
    found = "" if " " in words else address(tokens[place].content)
    return _link(found, words) if found else f"<code>{words}</code>"


def _fenced(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Render Python so that it opens on demand: what is above it says the same."""
    code = f'<pre tabindex="0"><code>{escape(tokens[place].content.rstrip())}</code></pre>\n'
    return f'<details class="code"><summary>In Python</summary>{code}</details>\n' if tokens[place].info.strip() == "python" else code


def _column(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Render an empty head cell as a data cell."""
    empty = not tokens[place + 1].content.strip()
    tokens[place + 2].tag = "td" if empty else "th"
    return "<td>" if empty else '<th scope="col">'


def _image(renderer: Any, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Render an image, and its dark version if it has one; the stylesheet shows one of them, and only that one is loaded.

    One that is a view of a drawing lies over an empty box of the view's shape: by itself it would have the shape of the whole drawing."""
    path, alt = str(tokens[place].attrs["src"]), escape(tokens[place].content)
    shape, path = _shape(env.get("folder"), path), env.get("at", "") + path
    size = f' width="{shape[0]:.0f}" height="{shape[1]:.0f}"' if shape else ""
    forms = {' class="in-light"': path, ' class="in-dark"': path.replace("-light.", "-dark.")} if "-light." in path else {"": path}
    images = "".join(f'<img{form} src="{escape(own)}" alt="{alt}" loading="lazy"{size}>' for form, own in forms.items())
    return f'<span class="view"><svg viewBox="0 0 {shape[0]:g} {shape[1]:g}"></svg>{images}</span>' if shape and "#" in path else images


def _shape(folder: Path | None, path: str) -> tuple[float, float] | None:
    """Return the width and height of an SVG, or of the view of it that the path names, so that the text below it never jumps."""
    name, _, view = path.partition("#")
    file = folder / name if folder else None
    size = re.compile(rf'<view id="{re.escape(view)}" viewBox="\S+ \S+ (\S+) (\S+)"') if view else _SIZE
    found = size.search(file.read_text(encoding="utf-8")[:2000]) if file and file.is_file() and file.suffix == ".svg" else None
    return (float(found[1]) * _PIXELS, float(found[2]) * _PIXELS) if found else None


def _figures(tokens: list[Token]) -> list[Token]:
    """Turn a paragraph with only an image into a figure, and an italic paragraph after it into the caption."""
    made: list[Token] = []
    place = 0
    while place < len(tokens):
        three = tokens[place : place + 3]
        if _content(three) == ["image"]:
            three[0].tag = three[2].tag = "figure"
            caption = tokens[place + 3 : place + 6]
            types = _content(caption)
            if types[:1] == ["em_open"] and types[-1] == "em_close" and types.count("em_open") == 1:
                caption[0].tag = caption[2].tag = "figcaption"
                three[2:2] = caption
            made += three
            place += len(three)
        else:
            made.append(tokens[place])
            place += 1
    return made


def _content(three: Sequence[Token]) -> list[str]:
    """Return the types of what is in a paragraph; empty if these tokens are none."""
    paragraph = len(three) == 3 and three[0].type == "paragraph_open" and three[1].type == "inline"
    return [child.type for child in three[1].children or ()] if paragraph else []


def highlighted(code: str, language: str) -> Markup:
    """Return code as HTML, its tokens in spans whose classes the stylesheet colours."""
    return Markup(highlight(code, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True)))
