"""A lesson's own process, which draws frames for one page at a time while the others queue; and server-sent events.

The process is a Python module named in the lesson's `widgets.yaml`, started by the first request and kept. It exchanges lines of JSON:

    -> {"id": 7, ...the page's request, all strings...}
    <- {"id": 7, "kind": "frame", ...}       answered by {"id": 7, "go": true}, or false when nobody watches
    <- {"id": 7, "kind": KIND, ...}          any other kind is the last

So no frame is computed that nobody waits for. The content of a frame is up to the lesson's process and its page.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

LONGEST = 300.0  # seconds of one request
LARGEST = 4 * 1024 * 1024  # bytes of one line
Event = tuple[str, dict[str, Any]]


class Studio:
    """The process of one module, and the queue for it."""

    def __init__(self, root: Path, module: str):
        self._root, self._module = root, module
        self._process: asyncio.subprocess.Process | None = None
        self._line: list[int] = []
        self._moved = asyncio.Event()
        self._last = 0

    async def show(self, asked: Mapping[str, str]) -> AsyncGenerator[Event, None]:
        """Yield events until the request is done. Close the generator to leave the queue."""
        self._last += 1
        ticket = self._last
        self._line.append(ticket)
        try:
            while before := self._line.index(ticket):
                moved = self._moved
                yield "waiting", {"before": before}
                await moved.wait()
            try:
                async with asyncio.timeout(LONGEST):
                    async with contextlib.aclosing(self._shown(ticket, asked)) as frames:
                        async for event in frames:
                            yield event
            except TimeoutError:
                yield "refused", {"words": f"it took longer than {LONGEST:g} seconds"}
        finally:
            self._line.remove(ticket)
            self._moved.set()
            self._moved = asyncio.Event()

    async def _shown(self, ticket: int, asked: Mapping[str, str]) -> AsyncGenerator[Event, None]:
        process = await self._running()
        assert process.stdin
        assert process.stdout
        going = False
        try:
            process.stdin.write(_line({**asked, "id": ticket}))
            going = True
            while line := await process.stdout.readline():
                answer = msgspec.json.decode(line)
                if answer.pop("id") != ticket:
                    continue  # left over from an earlier request
                kind = answer.pop("kind")
                going = kind == "frame"
                yield kind, answer
                if not going:
                    return
                process.stdin.write(_line({"id": ticket, "go": True}))
            going = False
            await self.close()
            yield "refused", {"words": f"the drawing process ended{await _reason(process)}: try again"}
        finally:
            if going and process.returncode is None:
                process.stdin.write(_line({"id": ticket, "go": False}))

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "LANG", "LC_ALL")}
            env = {**kept, "PYTHONPATH": str(self._root), "OMP_NUM_THREADS": "1"}
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE, cwd=self._root, env=env, limit=LARGEST,
            )  # fmt: skip
        return self._process

    async def close(self) -> None:
        """Stop the process."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def _reason(process: asyncio.subprocess.Process) -> str:
    """Return the last line that an ended process wrote to standard error, in brackets; empty if there is none."""
    assert process.stderr
    lines = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
    return f" ({lines[-1][:200]})" if lines else ""


def _line(data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(data) + b"\n"


def streamed(events: Callable[[Request], AsyncGenerator[Event, None]]) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that streams the events of a request as server-sent events, until the last one or until the browser leaves."""

    async def answer(request: Request) -> Response:
        return StreamingResponse(_sent(events(request)), headers={"Cache-Control": "no-store"}, media_type="text/event-stream")

    return answer


async def _sent(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async with contextlib.aclosing(events):
        async for kind, data in events:
            yield f"event: {kind}\ndata: {msgspec.json.encode(data).decode()}\n\n"


async def changed(paths: Sequence[Path], pause: float) -> AsyncGenerator[Event, None]:
    """Yield an event at once, and whenever one of the files has another modification time or size; `pause` is in seconds."""
    before = None
    while True:
        seen = await asyncio.to_thread(lambda: [_stamp(path) for path in paths])
        if seen != before:
            before = seen
            yield "changed", {}
        await asyncio.sleep(pause)


def _stamp(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size
    return None
