"""What `course grade` wrote, as pages of the site: the report, each student's feedback, and what lies behind a grade.

Each is the `main` of a file that needs no other, in the site's own frame, so both look alike. After a decision the report is written anew
in the background: whoever opens it here meanwhile waits for that, and whoever ends the site does, too.
"""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from html import unescape
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import BaseRoute, Route

from autograder.course.errors import CourseError, StoreFault, UsageError
from autograder.course.loading import read_course
from autograder.instructor.evidence import collect, evidence_page
from autograder.instructor.grade import GRADEBOOK, open_graded
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import read_rules
from autograder.instructor.lone_pages import PAGES, SHEETS
from autograder.instructor.outputs import decisions_in, write_report
from autograder.instructor.roster import file_slug
from autograder.learner.review.queue import GAP
from autograder.web.pages import Frame, formed, page, sentence, shown


class Report:
    """The report in `out`. It says how many decisions it knows of, so it is seen if there are more, whoever made them."""

    def __init__(self, out: Path, root: Path):
        self.path, self.turn, self.problem = out / "report.html", threading.Lock(), ""
        self._root, self._thread = root, threading.Thread()

    @property
    def behind(self) -> int:
        """How many decisions were made since it was written; 0 if there is none."""
        book = self.path.with_name(GRADEBOOK)
        if not (self.path.is_file() and book.is_file()):
            return 0
        with Gradebook(book) as gradebook:
            return max(0, len(gradebook.overrides()) - decisions_in(self.path))

    @property
    def coming(self) -> bool:
        """Whether it is being written."""
        return self._thread.is_alive()

    def renew(self) -> None:
        """Write it anew in the background if it is behind."""
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is written, if that has begun."""
        if self.coming:
            self._thread.join()

    def _write(self) -> None:
        with self.turn:  # both this and a decision want the folder for themselves
            self.problem = ""
            try:
                if self.behind:
                    course = read_course(self._root)
                    with open_graded(self.path.parent) as (gradebook, run):
                        write_report(self.path, course, gradebook, run, read_rules(self.path.parent, gradebook, course.policy))
            except UsageError as error:
                self.problem = f"{sentence(error.problem)} {sentence(error.fix)}"
            except (CourseError, StoreFault, OSError) as error:
                self.problem = sentence(str(error))


def routes(out: Path, root: Path, frame: Frame, report: Report, secret: str, named: Callable[[str], str | None]) -> list[BaseRoute]:
    """Return the routes of these pages; `named` finds the student whose feedback is in a file of this name."""

    def renewed(request: Request, fields: dict[str, list[str]]) -> str:
        report.renew()
        return _report(frame, report, secret)

    def to_student(request: Request) -> RedirectResponse:
        if (name := named(f"{request.path_params['file']}.html")) is None:
            raise HTTPException(404)
        return RedirectResponse(f"../feedback.html?{urlencode({'name': name})}")

    return [
        Route("/report.html", shown(frame, lambda request: _report(frame, report, secret)), methods=["GET"]),
        Route("/report.html", formed(frame, renewed, secret), methods=["POST"]),
        Route("/feedback/{file}.html", to_student),  # as the report names it
        Route("/feedback.html", shown(frame, lambda request: _feedback(out, frame, request))),
        Route("/student.html", shown(frame, lambda request: _student(out, root, frame, request))),
        *(Route(f"/{name}", partial(_sent, PAGES / name)) for name in ("feedback.css", "report.css", "report.js")),
    ]


def _sent(path: Path, request: Request) -> FileResponse:
    return FileResponse(path)


def _report(frame: Frame, report: Report, secret: str) -> str:
    report.wait()
    return _framed(frame, "report", _read(report.path, "course report"), report=report, secret=secret)


def _feedback(out: Path, frame: Frame, request: Request) -> str:
    name = name_in(request)
    html = _read(feedback_file(out, name), "course feedback")
    return _framed(frame, "feedback", html, query={"name": name}, has_feedback=True)


def _student(out: Path, root: Path, frame: Frame, request: Request) -> str:
    name = name_in(request)
    return _framed(frame, "student", evidence_of(root, out, request), query={"name": name}, has_feedback=feedback_file(out, name).is_file())


def evidence_of(root: Path, out: Path, request: Request) -> str:
    """Show what lies behind a student's grades. The calls of one exercise are made again in a process of its own, within its bounds."""
    name, exercise = name_in(request), request.query_params.get("exercise", "")[:500]
    if not exercise:
        evidence = collect(root, out, name, run=False)
        links = {one.exercise: f"student.html?{urlencode({'name': name, 'exercise': one.exercise})}" for one in evidence.exercises}
        return evidence_page(evidence, links)
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return evidence_page(process.submit(collect, root, out, name, exercise).result())


def name_in(request: Request) -> str:
    """Return the student that an address names."""
    return request.query_params.get("name", "")[:500]


def feedback_file(out: Path, student: str) -> Path:
    """Return where a student's feedback is, if it was written."""
    return out / "feedback" / f"{file_slug(student)}.html"


def _read(path: Path, command: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HTTPException(404) from None
    except (OSError, ValueError):
        raise UsageError(f"`{path.name}` cannot be read", f"`{command}` writes it anew") from None


_MAIN = re.compile(r"<title>(?P<title>.*?)</title>.*?<main id=\"main\">\n(?P<body>.*)\n</main>", re.DOTALL)
_REREAD = re.compile(r"Reread: (.+?) (?:\(<code>course read ([\w-]+)</code>\)|· <code>course read ([\w-]+)</code>)")
_CARD = re.compile(r"Card: <code>([\w-]+)</code>")


def _framed(frame: Frame, name: str, html: str, **told: Any) -> str:
    """Show the main part of a file in the site's frame, with a link to each section to reread, and to the cards."""
    found = _MAIN.search(html)
    if found is None:
        raise UsageError("this was written by another version", "`course report` and `course feedback` write it anew")
    known = {section.id for section in frame.lesson.sections}

    def led(one: re.Match[str]) -> str:
        section = one[2] or one[3]
        return f'Reread: <a href="lesson.html#{section}">{one[1]}</a>' if section in known else one[0]

    cards = {card.id: frame.prose.line(card.front or GAP.sub("…", card.cloze)) for card in frame.lesson.cards}

    def asked(one: re.Match[str]) -> str:
        return f'Card: <a href="cards.html">{cards[one[1]]}</a>' if one[1] in cards else one[0]

    body = _CARD.sub(asked, _REREAD.sub(led, found["body"]))
    return page(frame, name, unescape(found["title"]), "written.html", body=Markup(body), sheets=SHEETS[name], **told)
