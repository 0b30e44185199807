"""The same site as files for any web server, without what needs Python: the model plays recordings, questions and cards are read.

It is written beside its place and moved there when it is whole.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct

from autograder.errors import UsageError
from autograder.flashcards.faces import faces_of
from autograder.model import Lesson, Question
from autograder.questions import question_text
from autograder.release.folder import refuse_taken
from autograder.site.app import play
from autograder.site.pages import STATIC, Frame, frame_of, page

PAGES = ("index", "play", "practice", "cards")
MARK = "made-by-course.txt"
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.yaml")


class Written(Struct, frozen=True):
    """What was written: where, how many files, how many bytes."""

    place: Path
    files: int
    bytes: int


def write_site(root: Path, lesson: Lesson, out: Path) -> Written:
    """Write a lesson's site into the folder `out`. Raise `UsageError` where something else is there, or it cannot be written."""
    refuse_taken(out, (MARK,))
    frame = frame_of(root, lesson, PAGES, served=False, kept=False)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            _fill(frame, beside / "new")
            if out.exists():
                out.rename(beside / "old")
            (beside / "new").rename(out)
        finally:
            shutil.rmtree(beside)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out") from None
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    return Written(out, len(sizes), sum(sizes))


def _fill(frame: Frame, into: Path) -> None:
    shutil.copytree(STATIC, into / "static", ignore=LEFT_OUT)
    for folder in frame.folders:
        shutil.copytree(folder, into / folder.name, ignore=LEFT_OUT)
    for name, html in _pages(frame).items():
        (into / name).write_text(html, encoding="utf-8")
    (into / MARK).write_text("Written by `course site`, which may write this folder anew.\n", encoding="utf-8")


def _pages(frame: Frame) -> dict[str, str]:
    lesson = frame.lesson
    return {
        "index.html": page(frame, "index", lesson.title, reading=frame.read(), read=set()),
        "play.html": play(frame),
        "practice.html": page(frame, "practice", "Practice", "questions.html", questions=[_asked(frame, one) for one in lesson.questions]),
        "cards.html": page(frame, "cards", "Cards", "deck.html", decks=_decks(frame)),
    }


def _asked(frame: Frame, question: Question) -> tuple[str, Markup]:
    """Give a question's id, and its text with the published numbers."""
    published = {name: drawn.published for name, drawn in question.numbers.items()}
    return question.id, Markup(frame.prose.blocks(question_text(question, published)))


def _decks(frame: Frame) -> list[tuple[str, str, list[tuple[Markup, Markup]]]]:
    """Give the cards section by section, each with its front and its back."""
    faces = list(faces_of([frame.lesson]))
    made = []
    for section in frame.lesson.sections:
        own = [face for face in faces if face.card.section == section.id]
        sides = [(Markup(frame.prose.blocks(face.front)), Markup(frame.prose.blocks(face.back))) for face in own]
        if sides:
            made.append((section.id, section.title, sides))
    return made
