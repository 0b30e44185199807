"""Server-sent events: an answer that goes on. It ends when its events do, or at once when the browser leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]


class Events:
    """An answer of events, each a kind and data."""

    def __init__(self, events: AsyncGenerator[tuple[str, dict[str, Any]], None]):
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async with contextlib.aclosing(self._events) as events:
            async for kind, data in events:
                body = f"event: {kind}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def stamps(paths: Iterable[Path]) -> tuple[tuple[int, int] | None, ...]:
    """Give of each file when it was written and how large it is: what tells whether to look again."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
