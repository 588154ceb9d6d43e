"""The outermost layer: every answer gets an id, the security headers, a count and a log line.

Log lines carry method, path, status and time; never a query string, a header or a body.
"""

import random
import re
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from live.server.metrics import count_request

log = structlog.get_logger()

BODY_BYTES: Final = 16 * 1024 * 1024
"""No body of any route may be larger: 413. Routes have their own, smaller limits."""

KNOWN_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            # a WHEP offer may be sent on to the node that has the publisher, by any name it has
            "connect-src 'self' http: https: ws: wss:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}

OPEN_PATHS: Final = re.compile("/whip/|/whep/|/shows/[^/]+/viewers/")
OPEN_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
}
"""Players on any web page may read these answers, refusals included: no cookie counts there."""

PREFLIGHT_HEADERS: Final = {
    "Access-Control-Allow-Methods": "PUT, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
"""What a page may send there, where a package does not say it better itself."""


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_SECURITY: Final = _raw(SECURITY_HEADERS)
_OPEN: Final = _raw(OPEN_HEADERS)
_PREFLIGHT: Final = _raw(PREFLIGHT_HEADERS)


class Edge:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or websocket."""
        structlog.contextvars.bind_contextvars(request_id=f"{random.getrandbits(64):016x}")
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        status = 500
        received = 0

        async def bounded_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES:
                raise HTTPException(413)
            return message

        async def labelled_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _label(message, scope)
            await send(message)

        try:
            await self._app(scope, bounded_receive, labelled_send)
        finally:
            _tell(scope, status, time.perf_counter() - begun)


def _label(message: MutableMapping[str, Any], scope: Scope) -> None:
    headers = list(message["headers"])
    given = {name for name, _ in headers}
    added = _SECURITY
    if OPEN_PATHS.match(scope["path"]):
        added = added + _OPEN + (_PREFLIGHT if scope["method"] == "OPTIONS" else [])
    headers += [header for header in added if header[0] not in given]
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    headers.append((b"x-request-id", request_id.encode()))
    message["headers"] = headers


def _tell(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
    count_request(method, getattr(scope.get("route"), "path", "none"), status, seconds)
    write = log.warning if status >= 500 else log.debug
    write(
        "request",
        method=method,
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )
