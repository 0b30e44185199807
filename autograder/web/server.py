"""Serve the site on the loopback interface: the listening socket, the guard before every request, and the reader's session.

The address holds a random token of this run."""

import hmac
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autograder.course.errors import UsageError
from autograder.course.files import is_own
from autograder.course.loading import read_course
from autograder.course.model import Lesson
from autograder.course.student_files import HIDDEN
from autograder.course.system import lock
from autograder.grading.questions import Functions, functions_of
from autograder.learner.workspace import State, Workspace, home_of, lessons_in, open_workspace, reviewed, workspace_above

PORT = 8012
LOOPBACK = "127.0.0.1"


class Serving:
    """A listening site. Open `address`; `run` serves until it is interrupted or `server` is told to exit."""

    def __init__(self, app: ASGIApp, port: int | None = None):
        self._socket = _listen(port)
        number = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(18)
        self.address = f"http://{LOOPBACK}:{number}/{token}/"
        quiet: dict[str, Any] = {"log_level": "critical", "server_header": False, "ws": "none", "timeout_graceful_shutdown": 1}
        self.server = uvicorn.Server(uvicorn.Config(Guard(app, token, number), **quiet))

    def run(self) -> None:
        try:
            self.server.run(sockets=[self._socket])
        finally:
            self._socket.close()


def _listen(port: int | None) -> socket.socket:
    """Listen on the given port, or by default on the usual one or any free one."""
    for number in (PORT, 0) if port is None else (port,):
        with suppress(OSError):
            listening = socket.create_server((LOOPBACK, number), backlog=128)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for its connections: each body would wait 40 ms otherwise
            return listening
    raise UsageError(f"port {port} is taken", "omit --port to use a free one")


NO_TOKEN = "Open the address that `course serve` printed: it contains the token of this run."
FOREIGN_HOST = "This site answers to 127.0.0.1 and localhost only."
FOREIGN_ORIGIN = "This request came from another site and was refused."
POLICY = "; ".join(
    ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "connect-src 'self'",
     "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'")
)  # fmt: skip
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # an SVG opened on its own: no scripts
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Passes requests with the right host, token and origin to `app`, and adds the security headers to every response."""

    def __init__(self, app: ASGIApp, token: str, port: int):
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                drawing = headers.get("content-type", "").startswith("image/svg")
                headers.setdefault("Content-Security-Policy", DRAWING if drawing else POLICY)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        problem = refusal(scope["method"], Headers(scope=scope), self._hosts)
        token, _, rest = scope["path"].removeprefix("/").partition("/")
        answer: ASGIApp = self._app
        if problem:
            answer = PlainTextResponse(problem, 403)
        elif not hmac.compare_digest(token.encode(), self._token.encode()):
            answer = PlainTextResponse(NO_TOKEN, 403)
        elif scope["path"] == f"/{token}":
            answer = RedirectResponse(f"/{token}/")
        inner = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}
        await answer(inner, receive, with_headers)


def refusal(method: str, headers: Mapping[str, str], hosts: set[str]) -> str:
    """Return why a request is refused, or an empty text."""
    origin = headers.get("origin")
    if headers.get("host", "") not in hosts:
        return FOREIGN_HOST
    if origin is not None and origin.removeprefix("http://") not in hosts:
        return FOREIGN_ORIGIN
    if method not in ("GET", "HEAD") and headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return FOREIGN_ORIGIN
    return ""


PREFIX = "course-site-"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a private folder that is removed on leaving; a killed process's folder is removed by the next `sweep`."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = _hold(path)
        if path.is_dir():  # not swept before it was locked
            break
    try:
        yield path
    finally:
        _remove(path, held)


def sweep() -> None:
    """Remove this user's folders whose process has ended."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if is_own(path) and not path.is_symlink() and (held := _hold(path)) is not None:
            _remove(path, held)


def _hold(path: Path) -> int | None:
    """Lock a folder. None if another process has it locked, or if it cannot be locked."""
    with suppress(OSError):
        return lock(path)
    return None


def _remove(path: Path, held: int | None) -> None:
    """Remove a folder, then its lock; and the lock's own file, since Windows removes none that is open."""
    shutil.rmtree(path, ignore_errors=True)
    if held is not None:
        os.close(held)
        shutil.rmtree(path, ignore_errors=True)


class ReaderSession:
    """One reader's open lesson. `kept` says that progress is saved in a workspace."""

    def __init__(self, workspace: Workspace, *, kept: bool):
        self.workspace, self.kept = workspace, kept
        self._functions: Functions | None = None
        self._loading = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, root: Path, lesson: Lesson, start: Path) -> Iterator[Self]:
        """Open this lesson in the workspace at `start`, or a temporary one."""
        sweep()
        found = workspace_above(start)
        if found is not None and lesson.id in lessons_in(home_of(*found)):
            yield cls(open_workspace(start, root, lesson.id), kept=True)
            return
        with temporary_folder() as folder:
            (folder / HIDDEN).mkdir()
            yield cls(Workspace(folder, root, lesson, {}), kept=False)

    @property
    def lesson(self) -> Lesson:
        return self.workspace.lesson

    @cached_property
    def reviewed(self) -> tuple[Lesson, ...]:
        """The lessons whose cards are reviewed together, as `course review` does."""
        workspace = self.workspace
        return reviewed(read_course(workspace.root), home_of(workspace.folder, workspace) if self.kept else None)

    def state(self) -> State:
        """Open the state for one request: each thread needs its own connection."""
        return State(self.workspace.hidden)

    def functions(self) -> Functions:
        """Return the functions that answer the questions, loaded when the first question is marked."""
        with self._loading:
            self._functions = self._functions or functions_of(self.workspace.root, self.workspace.lesson)
            return self._functions
