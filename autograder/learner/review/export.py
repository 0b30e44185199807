r"""Export cards to Anki, CSV and JSON.

For Anki, a card becomes HTML with formulas between `\(` and `\)`, for its MathJax, and images by file name.
"""

import csv
import hashlib
import html
import json
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, count
from pathlib import Path

import genanki
import msgspec
from markdown_it import MarkdownIt

from autograder.course.errors import UsageError
from autograder.course.files import replaced, write_csv
from autograder.course.model import Card, Course, Lesson
from autograder.course.store import Connection
from autograder.course.symbols import in_latex
from autograder.course.symbols import replaced as with_symbols
from autograder.course.text import cell_text
from autograder.learner.review.queue import GAP, IMAGE, faces_of

_FORMULA = re.compile(r"(?<!\\)(\$\$?)(.+?)(?<!\\)\1", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})


def in_html(text: str, lesson: str) -> str:
    """Return a card's Markdown as HTML. Cloze gaps stay as they are, since Anki hides them itself."""
    kept: list[str] = []

    def keep(piece: str) -> str:
        kept.append(piece)
        return f"\ue000{len(kept) - 1}\ue001"

    text = GAP.sub(lambda gap: f"{{{{c{gap['number']}::{_separated(gap['text'])}{'::' + gap['hint'] if gap['hint'] else ''}}}}}", text)
    text = IMAGE.sub(lambda found: keep(_image(found["path"], found["words"], lesson)), text)
    text = _FORMULA.sub(lambda found: keep(_mathjax(found[2], displayed=found[1] == "$$")), text).replace(r"\$", "$")
    made = _MARKDOWN.renderInline(text) if "\n\n" not in text else _MARKDOWN.render(text).strip()
    made = with_symbols(made, lambda symbol: _mathjax(in_latex(symbol), displayed=False))
    return re.sub("\ue000([0-9]+)\ue001", lambda found: kept[int(found[1])], made)


def media_name(lesson: str, path: str) -> str:
    """Return a figure's name in Anki, which no other lesson's figure has."""
    return f"{lesson}-{Path(path).name}"


def _image(path: str, words: str, lesson: str) -> str:
    return f'<img src="{html.escape(media_name(lesson, path))}" alt="{html.escape(words)}">'


def _mathjax(formula: str, *, displayed: bool) -> str:
    before, after = (r"\[", r"\]") if displayed else (r"\(", r"\)")
    return before + html.escape(formula, quote=False) + after


def _separated(text: str) -> str:
    """Separate double braces: Anki would end the gap at the first pair."""
    while "}}" in text or "{{" in text:
        text = text.replace("}}", "} }").replace("{{", "{ {")
    return text if not text.endswith("}") else f"{text} "


PAIR, GAPS = 1_820_460_201, 1_820_460_202  # ids of the two note types
COLUMNS = ("id", "lesson", "objective", "section", "tags", "front", "back")
STYLE = Path(__file__).with_name("anki.css")
_FROM = '<div class="from">{{Section}}</div>'


def write_deck(course: Course, lessons: tuple[Lesson, ...], to: str, out: Path) -> int:
    """Write the cards of some lessons in one of FORMATS. Return how many; raise `UsageError` if there are none or `out` is not writable."""
    written = sum(len(lesson.cards) for lesson in lessons)
    if not written:
        raise UsageError("there is no card to write", "choose a lesson that has cards")
    try:
        FORMATS[to](course, lessons, out)
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror or error}", "name a file that can be written: --out PATH") from None
    return written


def _notes(lessons: tuple[Lesson, ...]) -> Iterator[tuple[Lesson, Card, str, str, str]]:
    """Yield each card with both sides and its section's title in HTML."""
    for lesson in lessons:
        titles = {section.id: section.title for section in lesson.sections}
        for card in lesson.cards:
            front, back = (in_html(side, lesson.id) for side in (card.cloze or card.front, card.back))
            yield lesson, card, front, back, in_html(titles.get(card.section, card.section), lesson.id)


def _tags(lesson: Lesson, card: Card) -> list[str]:
    return [f"{lesson.id}::{card.objective}", *card.tags]


def _deck_name(course: Course, lesson: Lesson) -> str:
    return f"{course.title.replace('::', ':')}::{lesson.number:02} {lesson.title.replace('::', ':')}"


def _apkg(course: Course, lessons: tuple[Lesson, ...], out: Path) -> None:
    pair, gaps = _note_types()
    decks = {lesson.id: genanki.Deck(_fixed_id(lesson.id), _deck_name(course, lesson)) for lesson in lessons}
    media: dict[str, Path] = {}
    for place, (lesson, card, front, back, section) in enumerate(_notes(lessons)):
        kind, fields = (gaps, [front, section]) if card.cloze else (pair, [front, back, section])
        decks[lesson.id].add_note(genanki.Note(kind, fields, tags=_tags(lesson, card), guid=f"{lesson.id}/{card.id}", due=place))
        for figure in IMAGE.finditer("\n".join((card.front, card.back, card.cloze))):
            media[media_name(lesson.id, figure["path"])] = course.root / "lessons" / lesson.id / figure["path"]
    with replaced(out) as beside:
        _pack(genanki.Package(list(decks.values())), media, beside)


def _pack(package: genanki.Package, media: dict[str, Path], out: Path) -> None:
    """Write a package with media by name. genanki's own `write_to_file` leaves its database in the system's temporary folder."""
    now = time.time()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(out, "w") as made:
        path = Path(folder, "collection.anki2")
        with closing(Connection(path)) as database, database:
            package.write_to_db(database.cursor(), now, count(int(1000 * now)))
        made.write(path, path.name)
        made.writestr("media", json.dumps(dict(enumerate(media))))
        for number, file in enumerate(media.values()):
            made.write(file, str(number))


def _note_types() -> tuple[genanki.Model, genanki.Model]:
    style, fields = STYLE.read_text(encoding="utf-8"), [{"name": name} for name in ("Front", "Back", "Section")]
    answer = f"{{{{FrontSide}}}}<hr id=answer>{{{{Completed}}}}{_FROM}"
    pair = genanki.Model(PAIR, "Course card", fields, [{"name": "Card", "qfmt": "{{Front}}", "afmt": answer}], style)
    gap_fields = [{"name": "Text"}, {"name": "Section"}]
    templates = [{"name": "Gap", "qfmt": "{{cloze:Text}}", "afmt": "{{cloze:Text}}" + _FROM}]
    return pair, genanki.Model(GAPS, "Course card with gaps", gap_fields, templates, style, genanki.Model.CLOZE)


def _fixed_id(lesson: str) -> int:
    """Return a deck's id: always the same for a lesson, and in the range of Anki's own ids."""
    return 1 << 40 | int.from_bytes(hashlib.sha256(lesson.encode()).digest()[:4], "big")


def _anki_text(course: Course, lessons: tuple[Lesson, ...], out: Path) -> None:
    """Write a text file with headers for Anki; the cards use Anki's own note types, Basic and Cloze."""
    heads = ("separator:Tab", "html:true", "guid column:1", "notetype column:2", "deck column:3", "tags column:4")
    with replaced(out) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        file.write("".join(f"#{head}\n" for head in heads))
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
        for lesson, card, front, back, _ in _notes(lessons):
            kind = "Cloze" if card.cloze else "Basic"
            writer.writerow([f"{lesson.id}/{card.id}", kind, _deck_name(course, lesson), " ".join(_tags(lesson, card)), front, back])


def _csv(course: Course, lessons: tuple[Lesson, ...], out: Path) -> None:
    faces = ((face, face.card) for face in faces_of(lessons))
    rows = ((one.id, one.lesson, card.objective, card.section, " ".join(card.tags), one.front, one.back) for one, card in faces)
    write_csv(out, chain([COLUMNS], (map(cell_text, row) for row in rows)))


def _json(course: Course, lessons: tuple[Lesson, ...], out: Path) -> None:
    cards = [
        {"lesson": lesson.id, **{name: value for name, value in msgspec.to_builtins(card).items() if name != "line" and value}}
        for lesson in lessons
        for card in lesson.cards
    ]
    with replaced(out) as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode({"course": course.title, "cards": cards}), indent=2) + b"\n")


Write = Callable[[Course, tuple[Lesson, ...], Path], None]
FORMATS: dict[str, Write] = {"apkg": _apkg, "anki-text": _anki_text, "csv": _csv, "json": _json}
