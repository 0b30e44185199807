"""Edit and check a reader's own files on their page: what `learner.edit` reads and writes, and the checks of `course check`.

A request names an exercise and never a path, is JSON, and is let in by the guard of `server` like every other. Files are checked one
after another in one thread that stays: a guest's server ends with the thread that started it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from autograder.course.errors import CourseError, SandboxFault, UsageError
from autograder.course.loading import read_policy
from autograder.course.text import to_html
from autograder.learner import edit
from autograder.learner.check import Checker
from autograder.learner.files import Named, held
from autograder.learner.progress import FAULT, Judged, hints, judge
from autograder.web.markdown import with_symbols
from autograder.web.server import ReaderSession

LARGEST = 2 * edit.LARGEST  # bytes of a request: JSON may write a character in two


class Save(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to save over the version with the hash `before`; with `keep`, that version is kept aside."""

    text: str
    before: str
    keep: bool = False


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the reader agrees that the file runs without walls."""

    without_walls: bool = False


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hint is asked for."""


class WithoutWalls(Exception):
    """There are no walls here, which the reader has to know before a file runs."""


class Checks:
    """The thread that checks files, with what it loaded."""

    def __init__(self, session: ReaderSession):
        self._session, self._agreed = session, False
        self._checker: Checker | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, exercise: str, *, agreed: bool) -> Judged:
        """Check the file of an exercise, and remember what was found.

        Raise `WithoutWalls` before a file runs where there are none, unless the reader has `agreed`.
        """
        self._thread = self._thread or ThreadPoolExecutor(1)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, exercise, agreed)

    def _run(self, exercise: str, agreed: bool) -> Judged:
        self._agreed = self._agreed or agreed
        workspace = self._session.workspace
        self._checker = self._checker or Checker(read_policy(workspace.root), tell=self._told)
        one = Named(exercise, edit.counting(workspace, exercise))
        with self._session.state() as state:
            return judge(self._checker, workspace, state, one, held(workspace))

    def _told(self, words: str) -> None:
        """Called before anything runs where there are no walls."""
        if not self._agreed:
            self._forget()  # the next checker asks again
            raise WithoutWalls(words)

    def _forget(self) -> None:
        if self._checker:
            self._checker.__exit__()
        self._checker = None

    async def close(self) -> None:
        """End what runs, and the thread."""
        if self._thread:
            self._forget()
            await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)


def routes(session: ReaderSession, checks: Checks) -> list[BaseRoute]:
    """Return the addresses of a file, its check and its hints. Without a workspace there are none."""

    async def check(exercise: str, asked: Check) -> dict[str, Any]:
        try:
            made = await checks.run(exercise, agreed=asked.without_walls)
        except WithoutWalls as error:
            return {"without_walls": str(error)}
        except SandboxFault as fault:
            return {"problem": f"{exercise}: {FAULT.format(fault=fault)}"}
        checked = made.checked
        return {"passed": checked.passed, "checks": len(checked.checks), "note": checked.problem, "due": made.due}

    async def save(exercise: str, asked: Save) -> dict[str, Any]:
        try:
            text = await run_in_threadpool(edit.write, session.workspace, exercise, asked.text, asked.before, keep=asked.keep)
        except edit.ChangedMeanwhile as changed:
            return {"changed": changed.now}
        return {"saved": text.sha256}

    async def hint(exercise: str, asked: Hint) -> dict[str, Any]:
        return {"hints": await run_in_threadpool(_hints, session, exercise)}

    async def read(request: Request) -> Response:
        return await _answer(request, lambda exercise: run_in_threadpool(edit.read, session.workspace, exercise))

    return [
        Route("/file-{id}", read, methods=["GET"]),
        Route("/file-{id}", _told(Save, save), methods=["POST"]),
        Route("/check-{id}", _told(Check, check), methods=["POST"]),
        Route("/hint-{id}", _told(Hint, hint), methods=["POST"]),
    ] if session.kept else []  # fmt: skip


def _hints(session: ReaderSession, exercise: str) -> dict[str, Any] | None:
    with session.state() as state:
        opened = hints(session.workspace, state, exercise)
    return {**msgspec.to_builtins(opened), "hints": [with_symbols(to_html(one)) for one in opened.hints]} if opened else None


def _told(kind: type[Any], act: Callable[[str, Any], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that reads a request's JSON and answers in JSON. What is no JSON, or too large, is not read."""

    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _json({"problem": "This is no JSON."}, 415)
        if not length.isdigit() or int(length) > LARGEST:
            return _json({"problem": "This is too large."}, 413)
        try:
            asked = msgspec.json.decode(await request.body(), type=kind)
        except msgspec.MsgspecError:
            return _json({"problem": "This cannot be read."}, 400)
        return await _answer(request, lambda exercise: act(exercise, asked))

    return answer


async def _answer(request: Request, act: Callable[[str], Awaitable[object]]) -> Response:
    try:
        return _json(await act(request.path_params["id"]))
    except UsageError as error:
        return _json({"problem": f"{error.problem}: {error.fix}."}, 409)
    except CourseError as error:
        return _json({"problem": str(error)}, 500)


def _json(data: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(data), status, media_type="application/json", headers={"Cache-Control": "no-store"})
