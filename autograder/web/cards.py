"""Reviewing on a page: the next card, its answer and four ratings, with the terminal's log and queue.

Every request reopens the deck, so a terminal may review at the same time. A rating of a card that was answered elsewhere meanwhile
is not recorded. The cards of all lessons are one queue; what another lesson's cards show is found below its id.
"""

import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from autograder.course.model import Section
from autograder.learner.review.deck import KEYS, MEANINGS, NEW_A_DAY, RATINGS, Chosen, Counts, Deck, following, in_words, own_place
from autograder.learner.review.queue import Face, faces_of
from autograder.learner.review.schedule import Scheduling, State
from autograder.web.markdown import Prose
from autograder.web.pages import Frame, formed, fragment, page, shown
from autograder.web.server import ReaderSession

_SENT = re.compile(r"[0-9]{1,9}")


def routes(session: ReaderSession, frame: Frame) -> list[BaseRoute]:
    """Return the routes of the cards page, and of the figures on the cards of other lessons."""
    figures = (folder for folder in sorted(frame.folder.parent.glob("*/figures")) if folder.parent != frame.folder)
    return [
        Route("/cards.html", shown(frame, lambda request: _page(session, frame, request)), methods=["GET"]),
        Route("/cards.html", formed(frame, lambda request, fields: _answered(session, frame, request, fields)), methods=["POST"]),
        *(Mount(f"/{folder.parent.name}/figures", StaticFiles(directory=folder)) for folder in figures),
    ]


def place_of(session: ReaderSession) -> Path:
    """Return the folder of the review log: the workspace's, or the one that `course review` uses outside a workspace."""
    return session.workspace.reviews if session.kept else own_place()


def _page(session: ReaderSession, frame: Frame, request: Request) -> str:
    section = _section(frame, request)
    with _deck(session, frame, section) as deck:
        return _whole(frame, _next(session, frame, deck, ""), section)


def _section(frame: Frame, request: Request) -> Section | None:
    """Return the section whose cards come first, if one was asked for."""
    return next((one for one in frame.lesson.sections if one.id == request.query_params.get("section")), None)


def _deck(session: ReaderSession, frame: Frame, section: Section | None) -> Deck:
    return Deck.open(place_of(session), session.reviewed, Chosen(first=f"{frame.lesson.id}/{section.id}" if section else ""))


def _whole(frame: Frame, card: Markup, section: Section | None) -> str:
    return page(frame, "cards", "Cards", card=card, first=section, keys=KEYS, meanings=MEANINGS)


def _answered(session: ReaderSession, frame: Frame, request: Request, fields: dict[str, list[str]]) -> str:
    section = _section(frame, request)
    with _deck(session, frame, section) as deck:
        said, face = _done(deck, {name: values[0] for name, values in fields.items()})
        card = _next(session, frame, deck, said, face)
    return card if request.headers.get("x-part") == "card" else _whole(frame, card, section)


def _done(deck: Deck, sent: dict[str, str]) -> tuple[str, Face | None]:
    """Do what was asked. Return a message, and the face to show next unless it is the queue's."""
    now, face, does = datetime.now().astimezone(), deck.faces.get(sent.get("face", "")), sent.get("do", "")
    if does == "undo":
        before = deck.undo(now)
        return ("Undone.", before) if before else ("There is no answer from today to undo.", None)
    if face is None:
        return "This card no longer exists.", None
    if does == "flag":
        return ("Flagged." if deck.flag(face, now) else "Flag removed."), face
    if sent.get("seen") != str(deck.state(face).reviews):
        return "This card was answered elsewhere in the meantime. Here is the next one.", None
    if does in ("1", "2", "3", "4"):
        took = int(sent["took"]) if _SENT.fullmatch(sent.get("took", "")) else 0
        deck.answer(face, int(does), now, took)
        return f"Answered: {RATINGS[int(does) - 1]}.", None
    return "", None


def _next(session: ReaderSession, frame: Frame, deck: Deck, said: str, face: Face | None = None) -> Markup:
    now = datetime.now().astimezone()
    face = face or deck.next_card(now)
    told = {"left": deck.counts(now), "said": said, "note": deck.log.note, "can_undo": deck.can_undo(now)}
    if face is None:
        return fragment("card.html", face=None, following=following(deck.queue(now)), **told)
    state, after = deck.state(face), deck.intervals(face, now)
    ratings = [(number, name, in_words(after[number])) for number, name in enumerate(RATINGS, 1)]
    lesson = next(one for one in session.reviewed if one.id == face.lesson)
    section = next((one for one in lesson.sections if one.id == face.card.section), None)
    own = lesson.id == frame.lesson.id
    prose = frame.prose if own else Prose(frame.folder.parent / lesson.id, at=f"{lesson.id}/")
    front, back = (Markup(prose.blocks(side)) for side in (face.front, face.back))
    return fragment("card.html", face=face, state=state, ratings=ratings, section=section,
                    elsewhere="" if own else lesson.title, front=front, back=back, **told)  # fmt: skip


# ---- on a site without a server


def written(frame: Frame) -> str:
    """Render the page whose `deck.js` does in the reader's browser what is done here: the same schedule, and a log that it keeps there."""
    sides: dict[str, list[tuple[int, Face, Markup, Markup]]] = defaultdict(list)
    for place, face in enumerate(sorted(faces_of([frame.lesson]), key=lambda face: face.optional)):
        sides[face.card.section].append((place, face, Markup(frame.prose.blocks(face.front)), Markup(frame.prose.blocks(face.back))))
    decks = [(section, sides[section.id]) for section in frame.lesson.sections if section.id in sides]
    scheduling = Scheduling()
    deck = {"scheduling": {"id": scheduling.id, "facts": scheduling.facts}, "new": NEW_A_DAY}
    blank = {"left": Counts(0, 0, 0), "said": "", "note": "", "following": "", "elsewhere": "", "front": Markup("<img>"), "back": ""}
    blank |= {"ratings": [(number, name, "") for number, name in enumerate(RATINGS, 1)], "state": State(), "can_undo": True}
    asked = [fragment("card.html", face=own[0][1], section=section, **blank) for section, own in decks[:1]]
    nothing = fragment("card.html", face=None, **blank)
    return page(frame, "cards", "Cards", "deck.html", decks=decks, asked=Markup().join(asked), nothing=nothing,
                keys=KEYS, meanings=MEANINGS, deck=Markup(msgspec.json.encode(deck).decode().replace("<", r"\u003c")))  # fmt: skip
