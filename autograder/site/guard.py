"""Who is let in: a browser on this machine that was given the address. All else is refused before any page is asked.

The token is the first part of every address. A page of another site cannot guess it, nor send what changes anything: its
`Origin` is not ours. A name that was made to point to this machine (DNS rebinding) is not our `Host`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_TOKEN = "Open the address that `course serve` printed: it holds the token of this run."
FOREIGN_HOST = "This site answers to 127.0.0.1 and localhost only."
FOREIGN_ORIGIN = "Another site asked for this, so it is refused."
POLICY = "; ".join(
    ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "form-action 'self'",
     "base-uri 'none'", "frame-ancestors 'none'")
)  # fmt: skip
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # an SVG that is opened alone: it runs nothing
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets requests through to `app` that have this host, this token, and no foreign origin; puts the headers on all answers."""

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
                _protect(MutableHeaders(scope=message))
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
    """Say why a request is refused whatever it asks for; nothing where it is not."""
    origin = headers.get("origin")
    if headers.get("host", "") not in hosts:
        return FOREIGN_HOST
    if origin is not None and origin.removeprefix("http://") not in hosts:
        return FOREIGN_ORIGIN
    if method not in ("GET", "HEAD") and headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return FOREIGN_ORIGIN
    return ""


def _protect(headers: MutableHeaders) -> None:
    drawing = headers.get("content-type", "").startswith("image/svg")
    headers.setdefault("Content-Security-Policy", DRAWING if drawing else POLICY)
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-cache")
