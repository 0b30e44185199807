"""A site that listens, and windows of a real browser before it."""

import contextlib
import functools
import http.server
import re
import threading
from importlib.resources import files
from types import SimpleNamespace

import pytest

from autograder.course.loading import read_course
from autograder.course.model import CheckResult, Result
from autograder.course.policy import Policy
from autograder.course.references import choose_lesson
from autograder.instructor.grade import GradeRequest
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules
from autograder.instructor.outputs import write_files
from autograder.learner.start import start
from autograder.web import reading
from autograder.web.app import build, write_site
from autograder.web.server import ReaderSession, Serving
from tests.courses import ROOT
from tests.programs import PAGE, PATIENCE, wait_for

# What Firefox says of what was still coming when a page is left.
LEFT = {"firefox": "was interrupted while the page was loading|X-Content-Type-Options|cannot be loaded", "chromium": "(?!)"}
AXE = files("axe_playwright_python") / "axe.min.js"


@contextlib.contextmanager
def serving(root, folder, lesson=None, **more):
    """Serve the course, or of several lessons the first or a given one, to who stands in `folder`, as `course serve` does."""
    course = read_course(root)
    lesson = choose_lesson(course, lesson or course.lessons[0].id)
    with ReaderSession.open(root, lesson, folder) as session:
        site = Serving(build(session, **more))
        thread = threading.Thread(target=site.run)
        thread.start()
        try:
            wait_for(lambda: site.server.started)
            yield SimpleNamespace(address=site.address, session=session, folder=folder)
        finally:
            site.server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def rendered_once():
    """Render the lesson once in a process: each site that a test starts has the same, and it is most of the time that a start takes."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("reading", "tasks_of", "_search"):
            patch.setattr(reading, name, _once(getattr(reading, name)))
        yield


def _once(render):
    made = {}

    def rendered(frame, *more):
        if ROOT not in frame.folder.parents:  # a course of a test's own, which it may change
            return render(frame, *more)
        given = repr((frame, more))
        if given not in made:
            made[given] = render(frame, *more)
        return made[given]

    return rendered


@pytest.fixture(scope="session")
def workspace(root, tmp_path_factory):
    """A workspace as `course start` makes it."""
    folder = tmp_path_factory.mktemp("site") / "Zoë Müller"
    start(folder, root, read_course(root).lessons[0])
    return folder


@pytest.fixture(scope="session")
def site(root, workspace):
    """The lesson's site for a workspace, the same for a whole session."""
    with serving(root, workspace) as served:
        yield served


@pytest.fixture(scope="session")
def class_out(root, tmp_path_factory):
    """A small class graded, and its report and feedback written."""
    out, course = tmp_path_factory.mktemp("graded"), read_course(root)
    misconception = CheckResult("one", "One", 0, 2, "failed", "wrong", "`f(1)` gave 2.", "beta_as_standard_deviation", "one-step-by-hand", "noise-scale")
    made = [Result(name, "12_diffusion", "forward", "graded", 3, 20, (misconception,), "", None, "r", "2026-11-01T00:00:00+00:00", "1") for name in ("Aiko", "Zoë")]
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        gradebook.begin("r1", GradeRequest(out / "submissions", out))
        gradebook.keep("r1", [Kept(one) for one in made])
        write_files(out, course, gradebook, "r1", read_rules(out, gradebook, Policy()))
    return out


@pytest.fixture(scope="session")
def class_site(root, workspace, class_out):
    """The same as `site` for instructors."""
    with serving(root, workspace, grades_in=class_out) as served:
        yield served


class Plain(http.server.SimpleHTTPRequestHandler):
    """A web server that knows nothing of us, and says nothing."""

    def log_message(self, *words):
        pass


@pytest.fixture(scope="session")
def written(root, site, tmp_path_factory):
    """The site as files."""
    return write_site(read_course(root), [site.session.lesson], tmp_path_factory.mktemp("files") / "site")


@pytest.fixture(scope="session")
def as_files(written):
    """The address at which a plain web server has the site as files."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Plain, directory=written.place)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def visiting(browser):
    """Give what opens an address in a window of its own, and hold that nothing was said on the console and no request went elsewhere.

    `moving` is for a reader who lets things move: time then stands until the page's clock is told to run.
    """
    opened, said, asked = [], [], []

    def open_page(address, *, width=1200, height=900, theme="light", axe=False, missing=False, moving=False, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="no-preference" if moving else "reduce", **more)
        context.set_default_timeout(1000 * PAGE)
        if axe:
            context.add_init_script(path=AXE)
        page = context.new_page()
        if moving:
            page.clock.install(time=0)
            page.clock.pause_at(1)
        if not missing:  # that a page is missing is said on the console
            page.on("console", lambda message: said.append(f"{message.type}: {message.text}") if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert [one for one in said if not re.search(LEFT[browser.browser_type.name], one)] == []
    assert {url.split("/")[2].split(":")[0] for url in asked if not url.startswith(("file:", "blob:"))} <= {"127.0.0.1"}


@pytest.fixture
def visit(browser):
    """Open an address in a window of its own, which is closed after the test."""
    with visiting(browser) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def visit_once(browser):
    """Open an address in a window that tests share: those that only look, or play each with something of its own."""
    with visiting(browser) as open_page:
        yield open_page
