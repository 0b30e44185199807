"""The site: the routes of the served app of a lesson, and the same pages of one lesson or of all written as static files.

Every page is rendered per request, in a thread, so that none holds up another. `server` runs the app; nothing here listens.
"""

import mimetypes
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from autograder.course.errors import UsageError
from autograder.course.files import replaced_folder
from autograder.course.model import Course, Lesson
from autograder.web import cards, editing, exercises, practice, reading
from autograder.web.live import Event, Studio, streamed
from autograder.web.pages import ONNX, STATIC, Frame, fragment, frame_of, nothing_here, page, shown
from autograder.web.server import POLICY, ReaderSession

# What files are is known here: Windows lets any program change it, and a browser runs no script that is called plain text.
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PAGES = ("index", "lesson", "play", "practice", "cards", "exercises")


def build(session: ReaderSession, grades_in: Path | None = None) -> Starlette:
    """Build the app of a lesson; `grades_in` is the output folder of `course grade`, for instructors."""
    for ending, kind in KINDS.items():
        mimetypes.add_type(kind, ending)
    pages = (*PAGES, "grades") if grades_in else PAGES
    frame = frame_of(session.workspace.root, session.lesson, pages, served=True, kept=session.kept)
    checks = editing.Checks(session)
    studios = {name: Studio(session.workspace.root, frame.widgets[name].live) for name in sorted(frame.live)}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        for studio in studios.values():
            await studio.close()
        await checks.close()

    routes = [
        Route("/", lambda request: RedirectResponse("index.html")),
        Route("/play.html", shown(frame, lambda request: play(frame))),
        *reading.routes(session, frame),
        *practice.routes(session, frame),
        *cards.routes(session, frame),
        *exercises.routes(session, frame),
        *editing.routes(session, checks),
        *(_grades(session.workspace.root, grades_in, frame) if grades_in else ()),
        *(Route(f"/live-{name}", streamed(partial(_frames, studio)), methods=["GET"]) for name, studio in studios.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(_onnx() if frame.onnx else ()),
        *(Mount(f"/{folder.name}", StaticFiles(directory=folder)) for folder in frame.folders),
    ]
    middleware = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=middleware, exception_handlers={404: nothing_here(frame)})


def _grades(root: Path, out: Path, frame: Frame) -> list[BaseRoute]:
    """Return the routes of an instructor's pages. What grades a class is imported for them alone: a student's site opens without it."""
    from autograder.web import class_view

    return class_view.routes(out, root, frame)


def _onnx() -> list[BaseRoute]:
    """Return the routes of what runs ONNX graphs. WebAssembly is compiled by its worker alone, under a policy of its own."""
    headers = {"content-security-policy": POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")}

    def worker(request: Request) -> FileResponse:
        return FileResponse(ONNX / "worker.js", headers=headers)

    return [Route("/onnx/worker.js", worker), Mount("/onnx", StaticFiles(directory=ONNX))]


def play(frame: Frame) -> str:
    """Render the page of all widgets."""
    return page(frame, "play", "Play", hosts=[frame.host(widget, 2) for widget in frame.widgets])


def _frames(studio: Studio, request: Request) -> AsyncGenerator[Event, None]:
    asked = {name[:40]: value[:400] for name, value in list(request.query_params.items())[:20] if name not in ("id", "go")}
    return studio.show(asked)


STATIC_PAGES = ("index", "lesson", "play", "practice", "cards")
MARK = "made-by-course.json"  # says what we wrote, and may write anew
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.yaml", "editor.js", "codemirror.*")


class Written(Struct, frozen=True):
    """The site that was written: its folder, number of files and size in bytes."""

    place: Path
    files: int
    bytes: int


def write_site(course: Course, lessons: Sequence[Lesson], out: Path) -> Written:
    """Write the site of a lesson to the folder `out`, or of several, each in a folder of its own, with an index.

    Raises UsageError if the folder cannot be written, or holds anything but an earlier site of no other lessons.
    """
    _refuse_others(out, {lesson.id for lesson in lessons})
    with replaced_folder(out, MARK) as new:
        for lesson in lessons:
            frame = _write_lesson(course.root, lesson, new if len(lessons) == 1 else new / lesson.id, alone=len(lessons) == 1)
            if frame.onnx and not (new / ONNX.name).exists():
                shutil.copytree(ONNX, new / ONNX.name, ignore=LEFT_OUT)
        if len(lessons) > 1:
            shutil.copytree(STATIC, new / STATIC.name, ignore=LEFT_OUT)
            (new / "index.html").write_text(fragment("lessons.html", course=course, lessons=lessons), encoding="utf-8")
        made = Made([lesson.id for lesson in lessons], sorted(_files(new)))
        (new / MARK).write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    return Written(out, len(sizes), sum(sizes))


class Made(Struct, frozen=True):
    """What the mark says that `course site` wrote: the ids of the lessons, and the names of the files."""

    lessons: list[str]
    files: list[str]


def _refuse_others(out: Path, lessons: set[str]) -> None:
    """Raise UsageError if `out` holds the site of another lesson, or a file that we did not write."""
    try:
        made = msgspec.json.decode((out / MARK).read_bytes(), type=Made)
    except (OSError, msgspec.MsgspecError):
        return  # there is none, which `replaced_folder` sees, or it is from before marks said more
    if others := [name for name in made.lessons if name not in lessons]:
        raise UsageError(f"{out}: holds the site of {others[0]}", "choose another folder with --out, or leave --lesson out to write all")
    if foreign := sorted({*_files(out)} - {*made.files, MARK}):
        raise UsageError(f"{out}: holds {foreign[0]}, which is not of this site", "move it away, or choose another folder with --out")


def _files(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _write_lesson(root: Path, lesson: Lesson, into: Path, *, alone: bool) -> Frame:
    frame = frame_of(root, lesson, STATIC_PAGES, served=False, kept=False, above="" if alone else "../index.html")
    for folder in (STATIC, *frame.folders):
        shutil.copytree(folder, into / folder.name, ignore=LEFT_OUT)
    for name, html in _pages(root, frame).items():
        (into / name).parent.mkdir(exist_ok=True)
        (into / name).write_text(html, encoding="utf-8")
    return frame


def _pages(root: Path, frame: Frame) -> dict[str, str]:
    return {
        **reading.written(frame, root),
        "play.html": play(frame),
        **practice.written(root, frame),
        "cards.html": cards.written(frame),
    }
