"""The lesson's text with what to do after each section, its home page (where to go on, what is left, how much there is), and search.

The figures are those of `course progress`. A site without a server has the same pages for somebody who did nothing yet; there, `home.js`
fills in what the browser remembers.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from autograder.course.lesson_text import section_texts, titled
from autograder.course.loading import writing_minutes
from autograder.course.model import Key, Lesson, Question
from autograder.course.own_practice import practised
from autograder.course.text import FOLDED, formulas_in_unicode, uncommented
from autograder.grading.questions import question_text
from autograder.grading.sentences import sentences_of
from autograder.learner.practice import Asked, choose, core_minutes
from autograder.learner.progress import (
    Work,
    advice,
    cards_left,
    minutes_of,
    next_section,
    plan,
    sections_of,
    standings,
    totals,
    work_after,
)
from autograder.learner.review.queue import GAP
from autograder.learner.workspace import Kind, State, Workspace
from autograder.web.markdown import Prose
from autograder.web.pages import Answer, Frame, fragment, page, shown
from autograder.web.practice import Part as QuestionPart
from autograder.web.practice import part_of
from autograder.web.server import ReaderSession, temporary_folder


class Part(Struct, frozen=True):
    """One section: its id, its title and text as HTML, and whether it is opened only on demand."""

    id: str
    title: str
    html: str
    appendix: bool


class Reading(Struct, frozen=True):
    """A lesson as HTML."""

    introduction: str
    parts: tuple[Part, ...]
    objectives: tuple[str, ...]


class Task(Struct, frozen=True):
    """What there is to do after a section: its question, answered there as far as the first `part` of how many, and more."""

    question: Question | None
    part: QuestionPart | None
    of: int
    text: Markup
    cards: int
    exercises: tuple[str, ...]


def routes(session: ReaderSession, frame: Frame) -> list[BaseRoute]:
    """Return the routes of the home page and the lesson, and of what is remembered as read."""
    workspace = session.workspace
    text, tasks, search = reading(frame), tasks_of(frame, workspace.root), _search(frame)  # once: they depend on the course alone

    def lesson(request: Request) -> str:
        with session.state() as state:
            return _lesson(frame, text, tasks, {event.subject for event in state.events("read")})

    def home(request: Request) -> str:
        with session.state() as state:
            return _home(frame, workspace, state)

    return [
        Route("/index.html", shown(frame, home)),
        Route("/lesson.html", shown(frame, lesson)),
        Route("/search.html", shown(frame, lambda request: search)),
        Route("/read", _remembering(session, "read"), methods=["POST"]),
        Route("/reading", _remembering(session, "reading"), methods=["POST"]),
    ]


def written(frame: Frame, root: Path) -> dict[str, str]:
    """Render both pages for a site without a server."""
    text, tasks = reading(frame), tasks_of(frame, root)
    with temporary_folder() as folder, State(folder) as state:
        home = _home(frame, Workspace(folder, root, frame.lesson, {}), state)
    return {"index.html": home, "lesson.html": _lesson(frame, text, tasks, set()), "search.html": _search(frame)}


def _lesson(frame: Frame, text: Reading, tasks: dict[str, Task], read: set[str]) -> str:
    titles = {part.id: part.title for part in text.parts}
    return page(frame, "lesson", frame.lesson.title, reading=text, tasks=tasks, read=read, titles=titles, fields={})


def _home(frame: Frame, workspace: Workspace, state: State) -> str:
    lesson = frame.lesson
    cards = cards_left(workspace, datetime.now().astimezone()) if frame.kept else None
    found = standings(workspace, state, cards)
    question, section, left = choose(lesson, state, None), next_section(lesson, state), plan(workspace, state, cards)
    leading = (section for section, work in work_after(workspace.root, lesson).items() if left.exercise in work.exercises)
    return page(
        frame,
        "index",
        lesson.title,
        introduction=_introduction(lesson, Prose(frame.folder)),
        step=advice(workspace, state, found),
        plan=left,
        cards=cards,
        begun=cards is not None or any(any(state.events(kind)) for kind in get_args(Kind)),
        read=any(state.events("read")) or any(state.events("reading")),
        leading=next(leading, ""),
        section=section,
        section_title=frame.prose.line(section.title if section else lesson.title),
        question=question,
        standings=found,
        totals=totals(lesson),
        minutes=core_minutes(lesson),
        writing=sum(writing) if all(writing := writing_minutes(workspace.root, lesson).values()) else 0,
        data="" if frame.served else _data(lesson),
    )


def _data(lesson: Lesson) -> Markup:
    """Return what `home.js` needs, as JSON that may stand in a page."""
    minutes = minutes_of(lesson)
    sections = [{"id": one.id, "title": Prose().line(one.title), "minutes": minutes[one.id]} for one in lesson.main]
    asked = practised(lesson)
    data = {
        "title": lesson.title,
        "sections": sections,
        "objectives": [sections_of(lesson, objective.id) for objective in lesson.objectives],
        "questions": [[one.id for one in asked if one.objective == objective.id] for objective in lesson.objectives],
        "core": [one.id for one in asked if one.core],
    }
    return _json(data)


def _json(data: Any) -> Markup:
    """Write data as a page may hold it."""
    return Markup(msgspec.json.encode(data).decode().replace("<", r"\u003c"))


class Place(Struct, frozen=True):
    """Something that may be searched for: what it is, its title and words, and where it stands."""

    kind: str
    title: str
    text: str
    href: str


def _search(frame: Frame) -> str:
    return page(frame, "search", "Search", index=_json(list(places(frame))))


def places(frame: Frame) -> Iterator[Place]:
    """Yield the terms, sections, questions and cards of a lesson as plain text."""
    lesson = frame.lesson
    for entry in frame.glossary:
        yield Place("Symbol" if entry.is_symbol else "Term", entry.plain, entry.means, f"lesson.html#{entry.id}")
    for section, text in section_texts(lesson):
        asked = FOLDED.sub(lambda folded: folded["question"], text)  # no answer before it is guessed
        yield Place("Lesson", _plain(section.title), _plain(asked), f"lesson.html#{section.id}")
    for question in practised(lesson):
        text = "\n\n".join(_asked(question, _published(question)))
        yield Place("Question", titled(question.id, lesson.text), _plain(text), f"question-{question.id}.html")
    for card in lesson.cards:
        front, back = (
            (card.front, card.back)
            if not card.cloze
            else (GAP.sub("…", card.cloze), "; ".join(gap["text"] for gap in GAP.finditer(card.cloze)))
        )
        yield Place(
            "Card", _plain(front), _plain(back), f"lesson.html#{card.section}" if frame.served else f"cards.html#deck-{card.section}"
        )


def _asked(question: Question, numbers: Mapping[str, float]) -> Iterator[str]:
    """Yield what a question asks, its choices and its parts, without the ids to answer with."""
    for text in (question.text, *(one.text for one in (*question.choices, *question.options))):
        yield question_text(replace(question, text=text, choices=(), options=(), parts=()), numbers)
    for part in question.parts:
        yield from _asked(part, numbers)


def _plain(text: str) -> str:
    """Return a Markdown text without its marks, in one line; code stays between backticks."""
    parts = _CODE.split(uncommented(text))  # every second one is code
    return " ".join("".join(f"`{_MARKS.sub('', part)}`" if place % 2 else _unmarked(part) for place, part in enumerate(parts)).split())


_CODE, _MARKS = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL), re.compile(r"^```\w*\n|`+")


def _unmarked(text: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", formulas_in_unicode(text))
    text = re.sub(r"^ *(?:- \[[ xX]\] |[->] )|^[-: |]+$|\*+", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<=[₀-₎ₐ-ₜ])(?=[α-ω])", " ", text.replace("|", " "))  # two symbols, not one word


def reading(frame: Frame) -> Reading:
    """Render a lesson's text as HTML."""
    lesson, told = frame.lesson, sentences_of(frame.lesson)
    prose = Prose(frame.folder, frame.host, note=lambda misconception: _note(frame, told, misconception), glossary=frame.glossary)
    parts = tuple(Part(one.id, prose.line(one.title), prose.blocks(text), one.appendix) for one, text in section_texts(lesson))
    head = Prose(frame.folder, lambda widget: frame.host(widget, 2))  # there is no section's heading above it
    return Reading(_introduction(lesson, head), parts, tuple(prose.line(objective.text) for objective in lesson.objectives))


def _note(frame: Frame, told: dict[str, str], misconception: str) -> str:
    """Render a misconception at its place: what one writes and how that looks, if the lesson shows it, and its sentence or the card."""
    card = next((card for card in frame.lesson.cards if misconception in card.tags and not card.cloze), None)
    if misconception not in told and card is None:
        return ""
    known, sentence = frame.mistakes.get(misconception), told.get(misconception, "")
    return fragment("mistake.html", frame=frame, prose=Prose(frame.folder), id=misconception, shown=known, sentence=sentence, card=card)


def _introduction(lesson: Lesson, prose: Prose) -> str:
    lines = lesson.text.split("\n")
    return prose.blocks("\n".join(lines[: lesson.sections[0].line - 1] if lesson.sections else lines))


def tasks_of(frame: Frame, root: Path) -> dict[str, Task]:
    """Return what there is to do after each section in which there is something."""
    return {section: _task(frame, work) for section, work in work_after(root, frame.lesson).items() if work}


def _task(frame: Frame, work: Work) -> Task:
    question = work.question
    if question is None:
        return Task(None, None, 0, Markup(), work.cards, work.exercises)
    asked = Asked(question, Key(), None, _published(question))
    whole = part_of(frame, asked, question, "answer")
    first = part_of(frame, asked, question.parts[0], f"answer.{question.parts[0].id}") if question.parts else whole
    return Task(question, first, max(1, len(question.parts)), whole.text, work.cards, work.exercises)


def _published(question: Question) -> dict[str, float]:
    return {name: drawn.published for name, drawn in question.numbers.items()}


def _remembering(session: ReaderSession, kind: Literal["read", "reading"]) -> Answer:
    """Return a route that remembers sections: each once that was read, and where one is reading as often as that changes."""
    sections = {section.id for section in session.lesson.sections}

    def remember(section: str) -> None:
        with session.state() as state:
            known = [event.subject for event in state.events(kind)]
            if section in sections and section not in (known if kind == "read" else known[-1:]):
                state.add(kind, section)

    async def answer(request: Request) -> Response:
        try:
            section = msgspec.json.decode(await request.body(), type=str)
        except msgspec.DecodeError:
            return Response(status_code=400)
        await run_in_threadpool(remember, section)
        return Response(status_code=204)

    return answer
