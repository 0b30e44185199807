"""From a function that writes a page to an address that answers with it: in a thread, with our errors as a page that says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from autograder.errors import CourseError, UsageError
from autograder.site.pages import Frame, page

Answer = Callable[[Request], Awaitable[Response]]
LARGEST = 64 * 1024  # bytes of a form


def shown(frame: Frame, write: Callable[[Request], str]) -> Answer:
    """Answer with the page that `write` gives; what cannot be is told on a page of the same looks."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_written, frame, lambda: write(request))

    return answer


def formed(frame: Frame, write: Callable[[Request, dict[str, list[str]]], str]) -> Answer:
    """The same for a form that was sent: `write` gets its fields, each a list of texts."""

    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST:
            return HTMLResponse(_trouble(frame, "This form is too large.", "Send what a person would type."), 413)
        fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True, max_num_fields=200)
        return await run_in_threadpool(_written, frame, lambda: write(request, fields))

    return answer


def _written(frame: Frame, write: Callable[[], str]) -> Response:
    try:
        return HTMLResponse(write())
    except UsageError as error:
        return HTMLResponse(_trouble(frame, _sentence(error.problem), _sentence(error.fix)), 404)
    except CourseError as error:
        return HTMLResponse(_trouble(frame, "The course has faults.", str(error)), 500)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")


def nothing_here(frame: Frame) -> Callable[[Request, Exception], Response]:
    """Answer for an address at which there is nothing."""

    def answer(request: Request, error: Exception) -> Response:
        words = "There is nothing at this address."
        below = "/" in request.url.path.strip("/")  # from there a page would not find its style
        return PlainTextResponse(words, 404) if below else HTMLResponse(_trouble(frame, words, "Choose a page above."), 404)

    return answer


def _trouble(frame: Frame, problem: str, fix: str) -> str:
    return page(frame, "trouble", "This cannot be shown", problem=problem, fix=fix)
