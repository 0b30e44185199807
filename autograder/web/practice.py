"""Practice in the browser: an overview, one question, and its mark.

Questions, numbers, marks and progress are those of `learner.practice`, as in the terminal; this module shows them.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.kinds import Form, Mark, Remark, form_of
from autograder.course.model import Choice, Question
from autograder.course.own_practice import PRACTICE_WORDS, practised
from autograder.course.text import formulas_in_unicode
from autograder.grading.feedback import remark_words
from autograder.grading.questions import question_text
from autograder.learner.practice import STREAK, Asked, answer, ask, choose, core_minutes, draw, for_answers, mastered, shown_working, streak
from autograder.learner.workspace import State
from autograder.web.pages import Frame, formed, fragment, page, shown
from autograder.web.server import ReaderSession


class Part(msgspec.Struct, frozen=True):
    """A question or a part of one as a form shows it: its field's name, and ids with their texts as HTML."""

    question: Question
    form: Form
    field: str
    text: Markup
    choices: tuple[tuple[str, Markup], ...]
    options: tuple[tuple[str, Markup], ...]


def routes(session: ReaderSession, frame: Frame) -> list[BaseRoute]:
    """Return the addresses of practice."""
    return [
        Route("/practice.html", shown(frame, lambda request: _overview(session, frame))),
        Route("/question-{id}.html", shown(frame, lambda request: _question(session, frame, request)), methods=["GET"]),
        Route("/question-{id}.html", formed(frame, lambda request, fields: _marked(session, frame, request, fields)), methods=["POST"]),
    ]


def _overview(session: ReaderSession, frame: Frame) -> str:
    with session.state() as state:
        rows = [(one, min(streak(state, one), STREAK), mastered(state, one)) for one in practised(session.lesson)]
        following = choose(session.lesson, state, None)
    titles = {section.id: section.title for section in session.lesson.sections}
    words = Markup(frame.prose.line(PRACTICE_WORDS[session.lesson.practice]))
    minutes = core_minutes(session.lesson)
    return page(
        frame, "practice", "Practice", rows=rows, following=following, titles=titles, minutes=minutes, streak=STREAK, words=words
    )  # fmt: skip


def _question(session: ReaderSession, frame: Frame, request: Request) -> str:
    with session.state() as state:
        chosen = choose(session.lesson, state, request.path_params["id"])
        assert chosen is not None  # `choose` raises if there is no such question
        seed = draw(state, chosen, fresh="fresh" in request.query_params, seed=_seed(request.query_params.get("seed", "")))
        return _page(session, frame, ask(session.workspace, chosen, seed, session.functions()))


def _seed(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _marked(session: ReaderSession, frame: Frame, request: Request, fields: dict[str, list[str]]) -> str:
    """Mark what was sent. The page's script asks for the mark alone."""
    with session.state() as state:
        chosen = choose(session.lesson, state, request.path_params["id"])
        assert chosen is not None
        asked = ask(session.workspace, chosen, _seed(fields.get("seed", [""])[0]) if chosen.numbers else None, session.functions())
        given = _given(chosen, fields, "answer")
        made = answer(state, asked, given, session.functions())
        mark = _mark(session, frame, state, asked, made, given)
        return mark if request.headers.get("x-part") == "mark" else _page(session, frame, asked, mark, fields)


def _given(question: Question, fields: dict[str, list[str]], name: str) -> Any:
    """Turn fields into what `answers.yaml` would hold."""
    form = form_of(question)
    if question.parts:
        return {part.id: _given(part, fields, f"{name}.{part.id}") for part in question.parts}
    if form.keys:
        return {key: fields.get(f"{name}.{key}", [""])[0] for key in form.keys}
    values = fields.get(name, [])
    return values if form.listed else values[0].strip() if values else ""


def _mark(session: ReaderSession, frame: Frame, state: State, asked: Asked, made: Mark, given: Any) -> Markup:
    right = made.outcome == "passed"
    following = choose(session.lesson, state, None)
    return fragment(
        "mark.html",
        right=right,
        lines=[_line(asked, remark) for remark in made.remarks],
        question=asked.question,
        section=next((one for one in session.lesson.sections if one.id == made.section), None),
        working=[frame.prose.line(line) for line in shown_working(asked, session.functions())],
        for_answers=for_answers(asked, given) if right and session.lesson.practice == "open" else "",
        row=min(streak(state, asked.question), STREAK),
        streak=STREAK,
        mastered=mastered(state, asked.question),
        following=following if following and following.id != asked.question.id else None,
    )


def _line(asked: Asked, remark: Remark) -> str:
    """Word a remark for a reader who sees no ids: choices by their texts, a part by its number."""
    number, part = next(((n, part) for n, part in enumerate(asked.question.parts, 1) if part.id == remark.part), (0, asked.question))
    texts = {one.id: _filled(asked, part, one.text) for one in (*part.choices, *part.options)}

    def name(item: str) -> str:
        return f"“{formulas_in_unicode(texts[item]).rstrip('.')}”" if item in texts else f"`{item}`"

    return f"Part {number}: " * bool(number) + remark_words(asked.question, remark, name)


def _page(
    session: ReaderSession, frame: Frame, asked: Asked, mark: Markup | None = None, fields: dict[str, list[str]] | None = None
) -> str:
    question = asked.question
    parts = [_part(frame, asked, part, f"answer.{part.id}") for part in question.parts] or [_part(frame, asked, question, "answer")]
    stem = Markup(frame.prose.blocks(_filled(asked, question, question.text))) if question.parts else None
    section = next((one for one in session.lesson.sections if one.id == question.section), None)
    title = f"{question.id.replace('-', ' ').capitalize()} · Practice"
    words = Markup(frame.prose.line(PRACTICE_WORDS[session.lesson.practice]))
    return page(frame, "question", title, words=words, asked=asked, stem=stem, parts=parts, section=section, mark=mark, fields=fields or {})


def _part(frame: Frame, asked: Asked, question: Question, field: str) -> Part:
    def lines(choices: Iterable[Choice]) -> tuple[tuple[str, Markup], ...]:
        return tuple((one.id, Markup(frame.prose.line(_filled(asked, question, one.text)))) for one in choices)

    text = Markup(frame.prose.blocks(_filled(asked, question, question.text)))
    return Part(question, form_of(question), field, text, lines(question.choices), lines(question.options))


def _filled(asked: Asked, question: Question, text: str) -> str:
    """Fill the reader's numbers into one text of a question."""
    return question_text(msgspec.structs.replace(question, text=text, choices=(), options=(), parts=()), asked.numbers)
