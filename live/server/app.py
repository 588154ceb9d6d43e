"""The web application: the packages' operations and routes behind one edge.

Where a page and the JSON interface share a URL, a request that names text/html gets the page.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from live.server import openapi
from live.server.edge import Edge
from live.server.front import Front
from live.server.metrics import READY, metrics
from live.server.operations import Identity, Operation, bind, plan
from live.server.responses import Problems

log = structlog.get_logger()

CHECK_TIMEOUT_S: Final = 2.0

Check = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Doors:
    """What one package opens to the outside.

    `operations`: typed ones for the binder; `routes`: raw ones, told by `openapi` path items;
    `pages`: HTML, at URLs that may also be operations.
    """

    operations: Sequence[Operation] = ()
    routes: Sequence[BaseRoute] = ()
    openapi: Mapping[str, Any] = field(default_factory=dict)
    pages: Sequence[BaseRoute] = ()


def build_app(
    doors: Iterable[Doors], identity: Identity, checks: Mapping[str, Check], *, version: str
) -> ASGIApp:
    """The ASGI application.

    `checks`: by name, what must not raise while the node is ready. Raises `BindingError`.
    """
    doors = list(doors)
    plans = [plan(operation) for each in doors for operation in each.operations]
    told = openapi.document(plans, (each.openapi for each in doors), version=version)
    operation_routes = bind(plans, identity)
    shared = {_shape(route.path) for route in operation_routes}
    pages = [
        PageRoute(page) if _shape(getattr(page, "path", "")) in shared else page
        for each in doors
        for page in each.pages
    ]
    paged = {_shape(getattr(page, "path", "")) for page in pages}
    front = Front(
        [
            *_own_routes(told, checks),
            *pages,
            *operation_routes,
            *(route for each in doors for route in each.routes),
        ],
        plain=[route for route in operation_routes if _shape(route.path) not in paged],
    )
    return Edge(Problems(front))


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


class PageRoute(BaseRoute):
    """A page that lives at the URL of an operation: it answers who names text/html."""

    def __init__(self, page: BaseRoute) -> None:
        self._page = page
        self.path: str = getattr(page, "path", "")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match only a GET or HEAD whose Accept names text/html."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return Match.NONE, {}
        accepts = (value for name, value in scope["headers"] if name == b"accept")
        if not any(b"text/html" in value.lower() for value in accepts):
            return Match.NONE, {}
        return self._page.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page; caches must know that Accept decided."""

        async def varied_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"vary", b"Accept")]
            await send(message)

        await self._page.handle(scope, receive, varied_send)


def _own_routes(told: Mapping[str, Any], checks: Mapping[str, Check]) -> list[BaseRoute]:
    document = msgspec.json.encode(told)

    async def healthz(_request: Request) -> Response:
        return _json({"healthy": True})

    async def readyz(_request: Request) -> Response:
        found = await asyncio.gather(*(_holds(name, check) for name, check in checks.items()))
        ready = all(found)
        READY.set(ready)
        states = dict(zip(checks, found, strict=True))
        return _json({"ready": ready, **states}, 200 if ready else 503)

    async def openapi_document(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi_document),
    ]


async def _holds(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the node is not ready
        log.warning("not ready", check=name, error=repr(error))
        return False
    return True


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")
