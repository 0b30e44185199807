"""Variables in running text: x_t, ε̂ or a lone w are found in HTML, to be set as formulas set them.

A variable is a Greek letter, or a Latin one that stands alone and is no word (a, A, I), with what belongs to it: accents, primes and
indices. Code, formulas and tags stay, and so do letters that are joined to others (U-Net, T5, t-shirt, "the image's"), that follow a
number (3 s) or that a no-break space binds to a name. `symbols.js` does the same in the browser; a test holds both to the same.
"""

import re
from collections.abc import Callable
from unicodedata import normalize

from msgspec import Struct

from autograder.course.text import to_html

ACCENTS = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0307": r"\dot", "\u20d7": r"\vec"}
_WORDS = frozenset("aAI")
_LETTER = "A-Za-zΑ-Ωα-ωᾱĉĝĥĵŝŵŷẑȳḡỹ"  # the accented ones are those that Unicode has in one piece and that are no words
_BELOW = r"_\{[^{}<>]{1,12}\}|_[^\W_]+|[₀-₎ₐ-ₜᵢᵣᵤᵥᵦ-ᵪⱼ]+"
STAYS = r"<(?P<tag>code|pre|math|svg|kbd|option|select|textarea|script|style)\b.*?</(?P=tag)>|<[^>]*>|&#(?:x27|39);\w*|&\w+;"
_SYMBOL = re.compile(
    STAYS + r"|(?<![^\W\d])(?<![\u0300-\u036f\\'’_@#$\ue001])(?<![^\W\d]\.)(?<!\w\[)(?<!</em>)(?<!</strong>)(?<!</code>)(?<!</a>)"
    r"(?<!&lt;)(?<!&lt;/)"
    rf"(?P<letter>[{_LETTER}][{''.join(ACCENTS)}]*)(?P<primes>′*)(?P<below>{_BELOW})?(?P<above>[²³¹⁰-ⁿᵀ]+)?"
    r"(?![\w\u0300-\u036f\[′]|\.\w|['’](?!s\b)|&#(?:x27|39);(?!s\b)|</\w+>\w)",
    re.DOTALL,
)
_ITALIC = re.compile(r"(?<![A-Za-zΑ-ω])[A-Za-zΑ-Ωα-ω](?![A-Za-zΑ-ω])")
_WORD = re.compile(r"[A-Za-z]{2,}")


class Symbol(Struct, frozen=True):
    """A variable: its letter, accents as combining characters, primes, and what stands below and above it, in plain letters."""

    letter: str
    accents: str = ""
    primes: str = ""
    below: str = ""
    above: str = ""


def replaced(html: str, write: Callable[[Symbol], str]) -> str:
    """Write each variable of the HTML of running text anew."""

    def written(found: re.Match[str]) -> str:
        symbol = _symbol(found) if found["letter"] else None
        return write(symbol) if symbol else found[0]

    return _SYMBOL.sub(written, html)


def _symbol(found: re.Match[str]) -> Symbol | None:
    """Return the variable that was found; None for a word, a unit, or a part of one."""
    whole = normalize("NFD", found["letter"])
    letter, accents = whole[0], whole[1:]
    below = normalize("NFKC", (found["below"] or "").removeprefix("_").strip("{}"))
    symbol = Symbol(letter, accents, found["primes"], below.replace("-", "−"), normalize("NFKC", found["above"] or ""))
    bare = symbol == Symbol(letter) and letter.isascii()
    before, after = found.string[max(0, found.start() - 2) : found.start()], found.string[found.end() : found.end() + 1]
    joined = after == "-" or before[-1:] in ("-", "\xa0") or before[-1:].isdigit() or re.fullmatch(r"\d ", before)
    return None if bare and (letter in _WORDS or joined) else symbol


def in_latex(symbol: Symbol) -> str:
    """Write a variable as a formula."""
    letter = "".join(ACCENTS[accent] + " " for accent in symbol.accents) + symbol.letter
    return letter + "'" * len(symbol.primes) + _script("_", symbol.below) + _script("^", symbol.above)


def _script(mark: str, index: str) -> str:
    formula = _WORD.sub(r"\\text{\g<0>}", index).replace("−", "-")
    return mark + (formula if len(index) == 1 or _WORD.fullmatch(index) else f"{{{formula}}}") if index else ""


def in_html(symbol: Symbol) -> str:
    """Write a variable for pages of others, which may take formulas away: with no more than italics and indices."""
    above, below = (_ITALIC.sub(r"<i>\g<0></i>", part) for part in (symbol.above, symbol.below))
    return f"<i>{normalize('NFC', symbol.letter + symbol.accents)}</i>{symbol.primes}{_index('sub', below)}{_index('sup', above)}"


def _index(tag: str, html: str) -> str:
    return f"<{tag}>{html}</{tag}>" if html else ""


def html_of(text: str) -> str:
    """Write a text with `code` as HTML for pages of others, its variables in italics; all of it is escaped."""
    return replaced(to_html(text), in_html)
