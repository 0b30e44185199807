"""Practice in the browser: an overview, one question, and its mark.

Questions, numbers, marks and progress are those of `learner.practice`, as in the terminal; this module shows them. For a site without a
server it writes down the marks of all answers, and `marks.js` looks them up.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup
from msgspec.structs import replace
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.kinds import Drawn, Form, Mark, Remark, form_of, ids_of, mark_answer
from autograder.course.lesson_text import titled
from autograder.course.model import Choice, Key, Question
from autograder.course.own_practice import PRACTICE_WORDS, key_of, practised
from autograder.course.text import formulas_in_unicode, to_html
from autograder.grading.feedback import remark_words
from autograder.grading.questions import Functions, functions_of, question_text, values, variant
from autograder.learner.practice import (
    STREAK,
    Asked,
    answer,
    ask,
    choose,
    core_minutes,
    draw,
    for_answers,
    in_order,
    mastered,
    shown_working,
    streak,
)
from autograder.learner.workspace import State
from autograder.web.markdown import with_symbols
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
        return _list(frame, rows, choose(session.lesson, state, None))


def _list(frame: Frame, rows: list[tuple[Question, int, bool]], following: Question | None) -> str:
    titles = {section.id: section.title for section in frame.lesson.sections}
    words = _of_handing_in(frame)
    minutes = core_minutes(frame.lesson)
    return page(
        frame, "practice", "Practice", rows=rows, following=following, titles=titles, minutes=minutes, streak=STREAK, words=words
    )  # fmt: skip


def _of_handing_in(frame: Frame) -> Markup:
    """Say whose numbers count, to whoever hands in from here; where practice is open, nobody else needs to know."""
    return Markup(frame.prose.line(PRACTICE_WORDS[frame.lesson.practice])) if frame.kept or frame.lesson.practice != "open" else Markup()


def _question(session: ReaderSession, frame: Frame, request: Request) -> str:
    with session.state() as state:
        chosen = choose(session.lesson, state, request.path_params["id"])
        assert chosen is not None  # `choose` raises if there is no such question
        seed = draw(state, chosen, fresh="fresh" in request.query_params, seed=_seed(request.query_params.get("seed", "")))
        return _page(frame, ask(session.workspace, chosen, seed, session.functions()))


def _seed(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _marked(session: ReaderSession, frame: Frame, request: Request, fields: dict[str, list[str]]) -> str:
    """Mark what was sent. The page's script asks for the mark alone, and not to remember what was answered before the page was opened."""
    part = request.headers.get("x-part")
    with session.state() as state:
        chosen = choose(session.lesson, state, request.path_params["id"])
        assert chosen is not None
        asked = ask(session.workspace, chosen, _seed(fields.get("seed", [""])[0]) if chosen.numbers else None, session.functions())
        if first := next((one for one in chosen.parts if one.id in fields.get("part", [])), None):
            mark = _mark_alone(session, frame, asked, first, _given(first, fields, f"answer.{first.id}"))
            return mark if part else _page(frame, asked, mark, fields)
        given = _given(chosen, fields, "answer")
        made = answer(None if part == "again" else state, asked, given, session.functions())
        mark = _mark(session, frame, state, asked, made, given)
        return mark if part else _page(frame, asked, mark, fields)


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
        frame=frame,
        right=right,
        readable=made.readable,
        alone=False,
        lines=[(remark.part, _line(asked, remark)) for remark in made.remarks],
        question=asked.question,
        section=next((one for one in session.lesson.sections if one.id == made.section), None),
        working=[frame.prose.line(line) for line in shown_working(asked, session.functions())],
        for_answers=for_answers(asked, given) if right and session.kept and session.lesson.practice == "open" else "",
        row=min(streak(state, asked.question), STREAK),
        streak=STREAK,
        mastered=mastered(state, asked.question),
        following=following if following and following.id != asked.question.id else None,
    )


def _mark_alone(session: ReaderSession, frame: Frame, asked: Asked, part: Question, given: Any) -> Markup:
    """Mark one part of a question for itself. Nothing is remembered, and the working, which tells of all parts, stays away."""
    question, functions = asked.question, session.functions()
    drawn = Drawn(asked.numbers, lambda one: values(one, asked.numbers, functions))
    made = mark_answer(replace(part, section=question.section), asked.key.part(part.id), given, drawn)
    lines = [("", _line(asked, replace(remark, part=part.id)).partition(": ")[2]) for remark in made.remarks]
    section = next((one for one in session.lesson.sections if one.id == made.section), None)
    told = {"lines": lines, "question": question, "section": section, "readable": made.readable}
    return fragment("mark.html", frame=frame, right=made.outcome == "passed", alone=True, working=[], **told)


def _line(asked: Asked, remark: Remark) -> str:
    """Word a remark for a reader who sees no ids: choices by their texts, a part by its number."""
    number, part = next(((n, part) for n, part in enumerate(asked.question.parts, 1) if part.id == remark.part), (0, asked.question))
    texts = {one.id: _filled(asked, part, one.text) for one in (*part.choices, *part.options)}

    def name(item: str) -> str:
        return f"“{formulas_in_unicode(texts[item]).rstrip('.')}”" if item in texts else f"`{item}`"

    told = replace(remark, given=re.sub("^-", "−", remark.given))  # a number; in backticks it is what was written
    return f"Part {number}: " * bool(number) + remark_words(asked.question, told, name)


def _page(
    frame: Frame,
    asked: Asked,
    mark: Markup | None = None,
    fields: dict[str, list[str]] | None = None,
) -> str:
    question = asked.question
    section = next((one for one in frame.lesson.sections if one.id == question.section), None)
    title = f"{titled(question.id, frame.lesson.text)} · Practice"
    told: dict[str, Any] = {"asked": asked, "section": section, "mark": mark, "fields": fields or {}}
    return page(frame, "question", title, **told, **_asked(frame, asked))


def _asked(frame: Frame, asked: Asked) -> dict[str, Any]:
    """Return what the fields of a form show."""
    question = asked.question
    parts = [part_of(frame, asked, part, f"answer.{part.id}") for part in question.parts] or [part_of(frame, asked, question, "answer")]
    return {"stem": Markup(frame.prose.blocks(_filled(asked, question, question.text))) if question.parts else None, "parts": parts}


def part_of(frame: Frame, asked: Asked, question: Question, field: str) -> Part:
    """Return a question, or a part of one, as a form shows it."""

    def lines(choices: Iterable[Choice]) -> tuple[tuple[str, Markup], ...]:
        return tuple((one.id, Markup(frame.prose.line(_filled(asked, question, one.text)))) for one in choices)

    text = Markup(frame.prose.blocks(_filled(asked, question, question.text)))
    return Part(question, form_of(question), field, text, lines(question.choices), lines(question.options))


def _filled(asked: Asked, question: Question, text: str) -> str:
    """Fill the reader's numbers into one text of a question."""
    return question_text(replace(question, text=text, choices=(), options=(), parts=()), asked.numbers)


# ---- on a site without a server

FRESH = 10  # variants of a question, of the fifty
GIVEN = "\ue000"  # stands for what was written, until the page knows it


def written(root: Path, frame: Frame) -> dict[str, str]:
    """Return the pages of practice, and for each question a script with its variants and the marks of all answers to them."""
    lesson, functions = frame.lesson, functions_of(root, frame.lesson)
    ordered = in_order(lesson)
    files = {"practice.html": _list(frame, [(one, 0, False) for one in practised(lesson)], ordered[0] if ordered else None)}
    for question in ordered:
        seeds = [None, *range(FRESH if question.numbers else 0)]
        asked = [Asked(question, key_of(lesson, question), seed, variant(question, seed, functions)) for seed in seeds]
        files[f"question-{question.id}.html"] = _page(frame, asked[0])
        files[f"answers/{question.id}.js"] = _provided(
            {"boxes": _boxes(frame, asked[0]), "variants": [_variant(frame, one, functions) for one in asked]}
        )
    known = [{"id": one.id, "title": titled(one.id, lesson.text), "repeated": one.repeated} for one in ordered]
    sections = {section.id: frame.prose.line(section.title) for section in lesson.sections}
    told = {"questions": known, "sections": sections, "streak": STREAK}
    return {**files, "answers/index.js": _provided(told)}


def _provided(data: Any) -> str:
    return f"course.provide({msgspec.json.encode(data, enc_hook=str).decode()});\n"


def _boxes(frame: Frame, asked: Asked) -> dict[str, Markup]:
    """Return the three forms of a mark, whose marked places the page's script fills or removes."""
    section = frame.lesson.sections[0]
    told = {
        "frame": frame,
        "question": asked.question,
        "following": asked.question,
        "section": section,
        "lines": [],
        "working": [""],
        "for_answers": "",
        "alone": False,
        "readable": True,
    }
    stands = {"wrong": (False, False), "right": (True, False), "mastered": (True, True)}
    return {name: fragment("mark.html", right=right, mastered=done, row=0, streak=STREAK, **told) for name, (right, done) in stands.items()}


def _variant(frame: Frame, asked: Asked, functions: Functions) -> dict[str, Any]:
    question = asked.question
    drawn = Drawn(asked.numbers, lambda part: values(part, asked.numbers, functions))
    fields = fragment("fields.html", fields={}, **_asked(frame, asked))
    parts = [_marks(asked, replace(part, section=question.section), part.id, drawn) for part in question.parts]
    working = [frame.prose.line(line) for line in shown_working(asked, functions)]
    blank = _note(asked, mark_answer(question, asked.key, "", drawn).remarks[0])
    return {"seed": asked.seed, "fields": fields, "parts": parts or [_marks(asked, question, "", drawn)], "working": working,
            "blank": {**blank, "lines": [blank["line"]], "readable": False}}  # fmt: skip


def _note(asked: Asked, remark: Remark, made: Mark | None = None) -> dict[str, Any]:
    """Return what is said of an answer, and whether its idea has a name, where to reread, and whether it could be read."""
    known, section, readable = (made.misconception is not None, made.section, made.readable) if made else (False, None, True)
    return {"line": with_symbols(to_html(_line(asked, remark))), "known": known, "section": section, "readable": readable}


def _marks(asked: Asked, part: Question, name: str, drawn: Drawn) -> dict[str, Any]:
    """Return the marks of all answers to a part, each found by marking one: what is right, and the notes on what is not.

    A note that is `named` is told before others. What was written stands in them as GIVEN.
    """
    form, key = form_of(part), asked.key.part(name) if name else asked.key

    def note(answer: Any, known: Key = key, given: str = "") -> dict[str, Any]:
        made = mark_answer(part, known, answer, drawn)
        remark = made.remarks[0]
        stands = remark.given.replace(given, GIVEN) if given and given in remark.given else GIVEN if given else remark.given
        return _note(asked, replace(remark, part=name, given=stands), made)

    told = {"id": name, "control": form.control, "field": f"answer.{name}" if name else "answer", "named": sorted(key.wrong)}
    notes = {"": note("")}
    if form.control == "number":
        return {**told, **_numbers(part, key, drawn, note, notes)}
    for wrong, given in _misses(part, key).items():
        notes[wrong] = note(given, replace(key, wrong={one: told for one, told in key.wrong.items() if one == wrong}))
    return {**told, "right": _right(part, key), "notes": notes}


def _numbers(part: Question, key: Key, drawn: Drawn, note: Callable[..., dict[str, Any]], notes: dict[str, Any]) -> dict[str, Any]:
    right, misconceptions = drawn.values(part)
    samples = {"unread": "qwxz", "large": "2000000000", "other": "864213.579"}
    if part.decimals != 3:
        samples["thousands"] = "864,213"
    notes |= {name: note(text, given=text) for name, text in samples.items()}
    whole = f"{right:.0f}"
    if mark_answer(part, key, whole, drawn).outcome == "failed":
        notes["rounded"] = note(whole, given=whole)
    near = [(value, note(f"{value:.12f}", given=f"{value:.12f}")) for value in sorted(value for _, value in misconceptions)]
    return {"right": right, "tolerance": part.tolerance * (1 + 1e-9), "decimals": part.decimals, "near": near, "notes": notes}


def _right(part: Question, key: Key) -> Any:
    control = form_of(part).control
    return list(key.right or ids_of(part.choices)) if control in ("several", "order") else key.right


def _misses(part: Question, key: Key) -> dict[str, Any]:
    """Return an answer for each way to miss a part, by the names that the key has for them; `*` leaves out one of several choices."""
    control, right, ids = form_of(part).control, _right(part, key), ids_of(part.choices)
    if control == "one":
        return {one: one for one in ids if one != right}
    if control == "several":
        missed = {one: [*right, one] if one not in right else [other for other in right if other != one] for one in ids}
        return {**missed, "*": right[1:]}
    if control == "order":
        pairs = ((later, earlier) for place, later in enumerate(right) for earlier in right[:place])
        return {f"{later}>{earlier}": [later, earlier, *(one for one in right if one not in (later, earlier))] for later, earlier in pairs}
    options = ["", *ids_of(part.options)]
    return {f"{one}={option}": {**right, one: option} for one in ids for option in options if option != right[one]}
