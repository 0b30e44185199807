"""Text from strangers, decoded, made safe for terminals and spreadsheets, and read as times; and LaTeX formulas in Unicode."""

import codecs
import io
import re
import tokenize
import unicodedata
from calendar import month_abbr, month_name
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache
from html import escape
from typing import Any, NamedTuple
from unicodedata import normalize
from zoneinfo import ZoneInfo, available_timezones

OF_DOMAINS = ("punycode", "idna")  # codecs of domain names: no code is in them, and they take hours for a few MiB
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Decoded(NamedTuple):
    """Code as text, with lines that end in "\\n". `guessed` is the encoding that it was read in, if Python itself would not read it."""

    text: str
    guessed: str = ""

    @property
    def note(self) -> str:
        """What the writer should know; an empty text if nothing was guessed."""
        say = "its first lines name another encoding" if self.guessed == "utf-8" else "save it as UTF-8"
        return f"This file was read as {self.guessed}: {say}.\n" if self.guessed else ""


def decode(code: bytes) -> Decoded:
    """Read code in the encoding that it declares, or is in: UTF-8, UTF-16, UTF-32 or, at last, a Western one.

    Raise `ValueError`, saying why, if it is not text.
    """
    guessed = wide_encoding(code)
    try:
        encoding = guessed or tokenize.detect_encoding(io.BytesIO(code).readline)[0]
        if codecs.lookup(encoding).name in OF_DOMAINS:
            raise LookupError
        text = code.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        if guessed:
            raise ValueError("not text in UTF-8") from None
        guessed = "cp1252" if "\ufffd" in code.decode("utf-8", errors="replace") else "utf-8"
        text = code.decode(guessed, errors="replace")
    text = text.rstrip("\0\x1a")  # what fills a file up, or ended it in DOS
    if "\0" in text:
        raise ValueError("not text: it contains zero bytes")
    return Decoded(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), guessed)


def wide_encoding(data: bytes) -> str:
    """Recognise UTF-16 and UTF-32, also UTF-16 without a byte order mark, where every other byte of plain letters is zero."""
    if mark := next((mark for mark in _MARKS if data.startswith(mark)), b""):
        return _MARKS[mark]
    first, second = data[::2].count(0), data[1::2].count(0)
    if min(first, second) or 4 * max(first, second) < len(data) or len(data) % 2:
        return ""
    return "utf-16-be" if first else "utf-16-le" if second else ""


def clean(cell_text: str, length: int = 500) -> str:
    """Make a stranger's text safe for a terminal: one line, without control and direction characters, cut to `length`."""
    cell_text = cell_text[: 20 * length]  # the rest is not even looked at
    shown = cell_text if cell_text.isprintable() else "".join(c if unicodedata.category(c)[0] != "C" else " " for c in cell_text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def clean_output(printed: bytes, size: int) -> str:
    """Return the first `size` bytes of what a stranger's program printed, as text without control characters but tabs and ends of lines."""
    shown = printed[:size].decode("utf-8", errors="replace").replace("\r\n", "\n")
    shown = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in shown)
    return shown.encode()[:size].decode("utf-8", errors="ignore")


def cell_text(value: str, length: int = 500) -> str:
    """Make a text safe for a cell: a spreadsheet runs what starts with = + - @ as a formula."""
    shown = clean(value, length)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def escaped_markdown(text: str) -> str:
    """Write a stranger's text so that Markdown shows it as it is."""
    return _MARKUP.sub(r"\\\1", clean(text))


def to_markdown(text: str) -> str:
    """Write a text with `code` as Markdown; the rest is escaped, and all of it if the backticks are doubtful."""
    parts = clean(text, 2_000).split("`")
    risky = "``" in text or any("<" in part for part in parts[1::2])  # Markdown pairs runs of backticks, not single ones
    if len(parts) % 2 == 0 or risky:
        return escaped_markdown(text)
    return "`".join(part if i % 2 else _MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


def to_html(text: str) -> str:
    """Write a text with `code` as HTML; all of it is escaped."""
    parts = re.split(r"`([^`]*)`", text)
    return "".join(f"<code>{escape(part)}</code>" if i % 2 else escape(part) for i, part in enumerate(parts))


def number(value: float) -> str:
    """Write points so that every spreadsheet reads them: at most two decimals, with a point."""
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")


def lasting(minutes: float) -> str:
    """Say how long something takes: in minutes, and from two hours on in hours."""
    if minutes < 1:
        return "less than a minute"
    return f"{minutes / 60:.0f} hours" if minutes >= 120 else f"{round(minutes)} minute{'s' * (round(minutes) != 1)}"


def quoted(value: Any) -> str:
    """Show an answer, whatever its type, short and harmless."""
    if isinstance(value, list | dict):
        return "A list" if isinstance(value, list) else "A map"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "`" + "".join(letter for letter in text[:40] if letter.isprintable() and letter != "`") + ("…`" if len(text) > 40 else "`")


def plain(number: float | Decimal) -> str:
    """Write a number of a question: 0.3, 5, 0.00001."""
    text = format(Decimal(str(number)).normalize(), "f")
    return "0" if text == "-0" else text


_ZONE = re.compile(r"(?P<time>.*\d.*?)\s*(?P<zone>Z|[+-]\d\d:?\d\d|(?!AM|PM)[A-Z]{2,5}|[A-Za-z_]+/[\w/+-]+)$", re.DOTALL)
_MONTHS = {  # in English, and in the languages that Moodle's and Brightspace's exports are often in
    "jan": "januar janvier enero gennaio januari janeiro", "feb": "februar février febrero febbraio februari fevereiro",
    "mar": "märz mars marzo maart março", "apr": "avril abril aprile", "may": "mai mayo maggio mei maio",
    "jun": "juni juin junio giugno junho", "jul": "juli juillet julio luglio julho", "aug": "août agosto augustus",
    "sep": "septembre septiembre settembre setembro", "oct": "oktober octobre octubre ottobre outubro",
    "nov": "novembre noviembre novembro", "dec": "dezember décembre diciembre dicembre dezembro",
}  # fmt: skip
_ENGLISH = {word: english for english, words in _MONTHS.items() for word in words.split()}
_FILLERS = {"um", "uhr", "at", "de", "le", "à", "del", "of", "o'clock"}


class Ambiguous(ValueError):
    """A time that means several moments; the message says why."""


class NoZone(Ambiguous):
    """A time that names no zone, where the course has none either."""


def read_time(text: str, zone: tzinfo | None = None, *, day_ends: bool = False) -> datetime:
    """Read a time; one that names no zone is in `zone`. With `day_ends`, a day without a time means its last minute.

    Raise `ValueError` if it cannot be read, and `Ambiguous` if it can be read in several ways.
    """
    text = text.strip()
    match = _ZONE.fullmatch(text)
    naive = _read_naive(match["time"].rstrip(" ,") if match else text, day_ends=day_ends)
    if naive.tzinfo is not None:
        return naive
    found = _zone(match["zone"], naive.year, zone) if match else zone
    if found is None:
        raise NoZone("it names no time zone")
    return naive.replace(tzinfo=found)


def shared_abbreviation(text: str) -> str:
    """Return the abbreviation at the end of a time if it means several zones, like IST or CST; otherwise an empty text."""
    match = _ZONE.fullmatch(text.strip())
    return match["zone"] if match and len(_offsets(2026).get(match["zone"], ())) > 1 else ""


def _zone(name: str, year: int, own: tzinfo | None) -> tzinfo:
    """Return what a zone's name means. An abbreviation that means several takes its meaning in the course's zone."""
    if name in ("Z", "UTC", "GMT"):
        return UTC
    if name[0] in "+-":
        return datetime.strptime(name.replace(":", ""), "%z").tzinfo or UTC
    if "/" in name:
        return ZoneInfo(_known(name))
    offsets: set[timedelta | None] = _offsets(year).get(name, set())
    if len(offsets) > 1 and own is not None:
        offsets = offsets & {own.utcoffset(moment) for moment in _seasons(year) if own.tzname(moment) == name}
    if len(offsets) != 1:
        raise Ambiguous(f"`{name}` means several time zones" if name in _offsets(year) else f"`{name}` is no time zone")
    return timezone(next(iter(offsets)) or timedelta(), name)


def _known(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"`{name}` is no time zone")
    return name


def _seasons(year: int) -> tuple[datetime, datetime]:
    return datetime(year, 1, 1), datetime(year, 7, 1)


@cache
def _offsets(year: int) -> dict[str, set[timedelta | None]]:
    """Return what each abbreviation of a time zone means somewhere in the world in a year, by the IANA database."""
    found: dict[str, set[timedelta | None]] = defaultdict(set)
    for name in available_timezones():
        for moment in _seasons(year):
            place = ZoneInfo(name)
            found[place.tzname(moment) or ""].add(place.utcoffset(moment))
    return dict(found)


def _read_naive(text: str, *, day_ends: bool) -> datetime:
    from dateutil import parser  # here: it is slow to import

    with suppress(ValueError):
        if ":" in text:
            return datetime.fromisoformat(text)
    words = [_ENGLISH.get(word.strip(".,").casefold(), word) for word in text.split() if word.strip(".,").casefold() not in _FILLERS]
    if (
        words
        and (first := words[0].strip(",.").casefold()).isalpha()
        and first not in {*map(str.casefold, (*month_name, *month_abbr)), "sept"}
    ):
        words = words[1:]  # the day of the week
    text = " ".join(words)
    if (numbers := re.match(r"(\d\d?)/(\d\d?)/", text)) and int(numbers[1]) <= 12 >= int(numbers[2]) and numbers[1] != numbers[2]:
        raise Ambiguous("its day and month may be either")
    german = re.match(r"\d\d?\.", text) is not None
    try:
        first, second = (
            parser.parse(text, default=datetime(*day, 23, minute), dayfirst=german)
            for day, minute in (((2000, 1, 1), 58), ((2001, 2, 2), 59))
        )
    except (parser.ParserError, OverflowError):
        raise ValueError("it is not a time") from None
    whole: bool = first == second or (day_ends and second - first == timedelta(minutes=1) and second.hour == 23)
    if not whole:
        raise ValueError("it is not a whole time")
    return datetime.combine(second.date(), second.timetz())


_TOKEN = re.compile(r"\\(?:text|operatorname|mathrm)\s*\{[^}]*\}|\\[A-Za-z]+|\\.|\S", re.DOTALL)
_NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho final sigma tau upsilon phi chi psi omega"
_SYMBOLS = {
    **{f"\\{name}": chr(0x3B1 + place) for place, name in enumerate(_NAMES.split())},
    **{f"\\{name.capitalize()}": chr(0x391 + place) for place, name in enumerate(_NAMES.split())},
    **dict(zip(r"\varepsilon \varphi \cdot \times \pm \odot \le \leq \ge \geq \ne \neq \approx \propto \sim \in \to \rightarrow".split(),
               "εφ·×±⊙≤≤≥≥≠≠≈∝∼∈→→", strict=True)),
    **dict(zip(r"\sum \prod \int \infty \nabla \partial \dots \ldots \cdots \top \mid \| \langle \rangle \lVert \rVert \ell \prime".split(),
               "∑∏∫∞∇∂……⋯⊤|‖⟨⟩‖‖ℓ′", strict=True)),
    **dict.fromkeys([r"\,", r"\;", r"\:", r"\ ", "~", r"\quad", r"\qquad", r"\\"], " "),
    **dict.fromkeys([r"\!", r"\left", r"\right", *(rf"\{size}{side}" for size in ("big", "Big", "bigg") for side in ("", "l", "r"))], ""),
    "-": "−", "'": "′", "&": "", ",": ", ",
}  # fmt: skip
_ACCENTS = {r"\bar": "\u0304", r"\hat": "\u0302", r"\tilde": "\u0303", r"\vec": "\u20d7", r"\dot": "\u0307", r"\overline": "\u0305"}
_SCRIPTS = {
    "_": str.maketrans("0123456789+−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ"),
    "^": str.maketrans("0123456789+−=()ni⊤T′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵀᵀ′"),
}
_LETTERS = {"N": "𝒩", "L": "ℒ", "E": "𝔼", "R": "ℝ", "U": "𝒰", "D": "𝒟"}
_SINGLE = re.compile(r"\w[\u0300-\u036f\u20d7]*(_\w|[₀-ₜᵢᵣᵤᵥᵦ-ᵪⱼ⁰-ⁿ²³¹ᵀ′])*|[0-9.]+")
_OPERATORS = re.compile(r"(?<=[^\s(,=∼≈+−·×/\[{^_]) *([+−·×]) *(?=\S)")
_RELATIONS = re.compile(r" *([=∼≈≤≥≠∝→∈<>]) *")


def latex_tokens(formula: str) -> list[str]:
    """Return the commands, letters and signs of a LaTeX formula, without the spaces between them."""
    return _TOKEN.findall(formula)


def in_unicode(formula: str) -> str:
    """Return a LaTeX formula, without its dollars, as a line of Unicode text."""
    line = normalize("NFC", _sequence(iter(latex_tokens(formula)), ""))
    line = _RELATIONS.sub(r" \1 ", _OPERATORS.sub(r" \1 ", line))
    return re.sub(r" +([.,)])", r"\1", re.sub(r" {2,}", " ", line)).strip()


def formulas_in_unicode(text: str) -> str:
    """Replace all formulas in a Markdown text by Unicode; displayed ones become paragraphs."""
    text = re.sub(r"\$\$(.+?)\$\$", lambda match: f"\n\n> {in_unicode(match[1])}\n\n", text, flags=re.DOTALL)
    return re.sub(r"(?<!\\)\$([^$\n]+)\$", lambda match: in_unicode(match[1]), text).replace(r"\$", "$")


def _sequence(tokens: Iterator[str], end: str) -> str:
    parts: list[tuple[str, str]] = []
    for token in tokens:
        if token == end:
            break
        if piece := _piece(token, tokens):
            parts.append((token, piece))
    followers = [*(piece for _, piece in parts[1:]), ""]
    # a fraction is put in parentheses if a factor follows, which would seem to be in the denominator too
    return "".join(f"({piece})" if token == r"\frac" and re.match(r"[\w(√ ]", follower) else piece
                   for (token, piece), follower in zip(parts, followers, strict=False))  # fmt: skip


def _piece(token: str, tokens: Iterator[str]) -> str:
    if token == "{":
        return _sequence(tokens, "}")
    if token in _SCRIPTS:
        return _script(token, _argument(tokens))
    if token in _ACCENTS:
        letters = _argument(tokens)
        return letters[:1] + _ACCENTS[token] + letters[1:]
    if token == r"\frac":
        return f"{_grouped(_argument(tokens))}/{_grouped(_argument(tokens))}"
    if token == r"\sqrt":
        under = _argument(tokens)
        return f"√{under}" if _SINGLE.fullmatch(under) else f"√({under})"
    if token in (r"\mathcal", r"\mathbb", r"\mathbf"):
        letters = _argument(tokens)
        return letters if token == r"\mathbf" else _LETTERS.get(letters, letters)
    if words := re.fullmatch(r"\\[a-z]+\s*\{([^}]*)\}", token):
        return words[1]
    return _SYMBOLS.get(token, token.lstrip("\\"))


def _argument(tokens: Iterator[str]) -> str:
    return _piece(next(tokens, ""), tokens)


def _script(mark: str, letters: str) -> str:
    """Write an index in small letters if Unicode has them all."""
    if all(ord(letter) in _SCRIPTS[mark] for letter in letters):
        return letters.translate(_SCRIPTS[mark])
    return f"{mark}{letters}" if re.fullmatch(r"\w" if mark == "^" else r"\w+", letters) else f"{mark}({letters})"


def _grouped(term: str) -> str:
    """Put a term in parentheses if a fraction bar would split it."""
    flat, before = term, ""
    while flat != before:
        flat, before = re.sub(r"\([^()]*\)", "", flat), flat
    return f"({term})" if re.search(r"[+−·×/ =]", flat) else term


_COMMENT = re.compile(r"^[ \t]*<!--(?:(?!-->).)*-->\n|<!--(?:(?!-->).)*-->", re.DOTALL | re.MULTILINE)
WARNING = re.compile(r"<!-- *misconception: *(?P<ids>.*?) *-->")  # in the paragraph that warns of them
FOLDED = re.compile(r"<details><summary>(?P<question>.*?)</summary>\s*(?P<answer>.*?)\s*</details>", re.DOTALL)


def uncommented(text: str) -> str:
    """Return the text without comments, some of which compute its numbers."""
    return _COMMENT.sub("", text)
