"""Listen on the loopback, and only there, with an address that holds a secret of this run."""

from __future__ import annotations

import secrets
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from autograder.errors import UsageError
from autograder.site.guard import Guard

PORT = 8012
LOOPBACK = "127.0.0.1"


class Serving:
    """A site that listens. `address` is what to open; `run` serves until it is interrupted or `stop` is called."""

    def __init__(self, app: ASGIApp, port: int | None = None):
        self._socket = _listen(port)
        number = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(18)
        self.address = f"http://{LOOPBACK}:{number}/{token}/"
        quiet: dict[str, Any] = {"log_level": "critical", "server_header": False, "ws": "none", "timeout_graceful_shutdown": 1}
        self._server = uvicorn.Server(uvicorn.Config(Guard(app, token, number), **quiet))

    def run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        self._server.should_exit = True

    @property
    def started(self) -> bool:
        return self._server.started


def _listen(port: int | None) -> socket.socket:
    """Take the port that is asked for; where none is, the usual one or else any that is free."""
    for number in (PORT, 0) if port is None else (port,):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, number))
            listening.listen(128)
            return listening
        except OSError:
            listening.close()
    raise UsageError(f"port {port} is taken", "leave --port out, and a free one is found")
