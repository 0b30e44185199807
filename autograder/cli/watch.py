"""The screen of `course check --watch`: what was saved last, its first failure on top, and a key for what to do about it.

Files are watched in a thread, which only says what was saved; everything else happens between two key presses.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text

from autograder.cli.terminal import END, Keys
from autograder.cli.views import failures, headline
from autograder.course.errors import SandboxFault, UsageError
from autograder.learner.check import Checked
from autograder.learner.files import Held, Named, held, rivalries, saved_of
from autograder.learner.progress import FAULT, HIDDEN_REMAIN, Judge, following_exercise, hints
from autograder.learner.workspace import State, Workspace

LOOK = 0.05  # seconds to wait for a key before looking for saves
KEYS = "h hint   n next   r rerun   q quit"


class Watched(msgspec.Struct, frozen=True):
    """What was checked last: the exercise and its file, and what the checks found, or why there is nothing to show."""

    named: Named
    checked: Checked | None = None
    fault: str = ""


class View(msgspec.Struct, frozen=True):
    """What the screen shows. It fits the window: what is too long is cut at its end, and never the keys."""

    lines: tuple[RenderableType, ...]
    said: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height, fitted = options.size.height - 1, options.update(height=None)  # keep the last line free
        below: list[RenderableType] = [Rule(style="dim"), *([Text(self.said, "yellow")] if self.said else []), Text(KEYS, "bold")]
        foot = [line for one in below for line in console.render_lines(one, fitted)]
        body = [line for one in self.lines for line in console.render_lines(one, fitted)]
        room = max(1, height - len(foot))
        if len(body) > room:
            body = [*body[: room - 1], [Segment("…")]]
        for line in (*body, *foot):
            yield from line
            yield Segment.line()


class Watch:
    """Shows each file that is saved until the student quits. `judge` checks one and remembers what was found."""

    def __init__(self, console: Console, keyboard: Keys, workspace: Workspace, state: State, judge: Judge, only: list[Named]):
        self._console, self._keys, self._workspace, self._state = console, keyboard, workspace, state
        self._judge, self._only = judge, only
        self._now: Watched | None = None
        self._at, self._said = 0, ""
        self._actions = {"h": self._hint, "n": self._next, "r": self._rerun}

    def run(self, begun: list[Named], saved: Iterator[tuple[Path, ...]], stop: Event) -> None:
        """Check what was begun, then whatever is saved, until q, the end of the terminal or Ctrl-C."""
        changes: SimpleQueue[tuple[Path, ...]] = SimpleQueue()
        watching = Thread(target=_forward, args=(saved, changes), daemon=True)
        watching.start()
        try:
            self._said = "\n".join(rivalries(held(self._workspace))).replace("`", "")
            self._check(begun)
            while True:
                self._draw()
                key = self._wait(changes)
                if key in ("q", END):
                    return
                if key in self._actions:
                    self._said = ""
                    self._actions[key]()
        finally:
            stop.set()
            watching.join()

    def _wait(self, changes: SimpleQueue[tuple[Path, ...]]) -> str:
        """Return the next key; an empty one, to draw again, after a save was checked."""
        while not self._keys.wait(LOOK):
            with suppress(Empty):
                paths = changes.get_nowait()
                found = held(self._workspace)
                if wanted := saved_of(paths, self._only, found):
                    self._said = ""
                    self._check(wanted, found)
                    return ""
        return self._keys.get()

    def _check(self, wanted: list[Named], found: dict[str, Held] | None = None) -> None:
        """Check these, and show the first that is not right yet, or else the last."""
        found = held(self._workspace) if found is None else found
        if wanted and self._now is None:
            self._console.print(f"Checking {', '.join(dict.fromkeys(one.path.name for one in wanted))} ...")
        made = [self._checked(one, found) for one in wanted]
        if made:
            self._now, self._at = next((one for one in made if not one.checked or not one.checked.right), made[-1]), 0

    def _checked(self, one: Named, found: dict[str, Held]) -> Watched:
        try:
            judged = self._judge(one, found)
        except SandboxFault as fault:
            return Watched(one, fault=f"{one.exercise}: {FAULT.format(fault=fault)}")
        except OSError as error:  # it is being saved, or was deleted
            return Watched(one, fault=f"{one.path.name}: {error.strerror}")
        if judged.due:
            self._said = f"Due today in course review: {', '.join(judged.due)}"
        return Watched(one, judged.checked)

    def _draw(self) -> None:
        self._console.clear()
        self._console.print(View(tuple(self._lines()), self._said), end="")

    def _lines(self) -> Iterator[RenderableType]:
        now = self._now
        if now is None:
            first = following_exercise(self._workspace, self._state)
            yield Text(f"Nothing is written yet: open {first}.py in your editor, write its first function, and save." if first else "")
        elif now.checked is None:
            yield Text(now.fault, "yellow")
        else:
            yield headline(now.checked)
            if now.checked.problem:
                yield Text(now.checked.problem.replace("`", ""), "yellow")
            if now.checked.right:
                yield Text(HIDDEN_REMAIN, "dim")
                yield Text(f"\n{self._following()}", "bold")
            blocks = failures(now.checked, self._workspace.lesson)
            yield from blocks[self._at :] + blocks[: self._at]

    def _following(self) -> str:
        following = following_exercise(self._workspace, self._state)
        return f"Next: {following}.py. Open it in your editor, or press n to see its first check." if following else "Next: course practice"

    def _hint(self) -> None:
        exercise = self._now.named.exercise if self._now else following_exercise(self._workspace, self._state)
        try:
            opened = hints(self._workspace, self._state, exercise) if exercise else None
        except UsageError as error:
            self._said = str(error).replace("`", "")
            return
        if opened is None:
            self._said = "It passes the public checks: you need no hint."
        elif not opened.hints:
            self._said = f"The {opened.of} hints for {opened.function} open one by one: save a try of it first."
        else:
            self._said = f"{opened.function}, hint {len(opened.hints)} of {opened.of}: {opened.hints[-1]}"

    def _next(self) -> None:
        """Go on to the next failure, or to the next exercise after a pass."""
        if self._now and self._now.checked and not self._now.checked.right:
            self._at = (self._at + 1) % max(1, len(failures(self._now.checked, self._workspace.lesson)))
            return
        found, following = held(self._workspace), following_exercise(self._workspace, self._state)
        if following in found and (path := found[following].path):
            self._check([Named(following, path)], found)

    def _rerun(self) -> None:
        if self._now:
            self._check([self._now.named])


def _forward(saved: Iterator[tuple[Path, ...]], changes: SimpleQueue[tuple[Path, ...]]) -> None:
    for paths in saved:
        changes.put(paths)
