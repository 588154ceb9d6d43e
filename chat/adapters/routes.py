"""The room's door, `GET /shows/{id}/events`, a websocket; and who came through it.

Before the handshake: the Origin must be allowed (403) and an offered subprotocol known (400); none
offered means JSON. Everything later is told by close codes (`chat.core.closes`).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from chat.adapters.protocol import SOCKET_EXTENSION, RoomProtocol
from chat.adapters.service import Chat
from chat.core.closes import Close
from chat.core.frames import Format
from chat.errors import WrongServerError
from chat.visit import Visitor, visit

COOKIE: Final = "kkot_access"
SHOW_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]


class AttendanceView(msgspec.Struct, frozen=True, kw_only=True):
    """A show's viewers now, the most at once, and the different ones who came, the seller not."""

    viewers: int
    peak: int
    visitors: int


OPENAPI: Final[dict[str, Any]] = {
    "/shows/{id}/events": {
        "get": {
            "summary": "The room of a show, a websocket",
            "description": "Subprotocols kkot.v1+msgpack and kkot.v1+json (the default). Server "
            "frames are arrays of events; the first is a welcome. The client's first message is "
            '{"type": "hello"}, with its access token or none, and with "since" if it comes back: '
            "chat/PROTOCOL.md tells the rest.",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "responses": {
                "101": {"description": "Welcome follows hello"},
                "400": {"description": "None of the offered subprotocols is known"},
                "403": {"description": "This Origin may not open rooms"},
                "503": {"description": "Too many come at once: come back after Retry-After"},
            },
        }
    }
}


def routes(chat: Chat) -> list[BaseRoute]:
    """The room's routes, for a server with `ws=RoomProtocol`."""

    async def events(websocket: WebSocket) -> None:
        await _events(chat, websocket)

    return [WebSocketRoute("/shows/{id}/events", events)]


def operations(
    chat: Chat, *, demand_owner: Callable[[str, str], Awaitable[object]]
) -> list[Operation]:
    """Who came. `demand_owner`: raises where a show, named second, is not that person's."""

    async def attendance(person: str, show: str) -> AttendanceView:
        """How many watch one's own show, did at most, and came (estimated, within a percent)."""
        await demand_owner(person, show)
        told = await chat.attendance(show)
        return AttendanceView(viewers=told.viewers, peak=told.peak, visitors=told.visitors)

    return [("GET", "/shows/{show}/attendance", attendance, 200)]


def choose_format(offered: Sequence[str]) -> Format | None:
    """The first known of the offered subprotocols; JSON for none offered; None for none known."""
    if not offered:
        return Format.JSON
    known = {wire.value: wire for wire in Format}
    return next((known[name] for name in offered if name in known), None)


async def _events(chat: Chat, websocket: WebSocket) -> None:
    headers = websocket.headers
    if not chat.origin_allowed(headers.get("origin"), headers.get("host")):
        await websocket.send_denial_response(
            _problem(403, "origin", "This Origin may not open rooms")
        )
        return
    offered: list[str] = websocket.scope["subprotocols"]
    wire = choose_format(offered)
    if wire is None:
        await websocket.send_denial_response(
            _problem(400, "subprotocol", "None of the offered subprotocols is known")
        )
        return
    socket = websocket.scope["extensions"].get(SOCKET_EXTENSION)
    if not isinstance(socket, RoomProtocol):
        raise WrongServerError("rooms need uvicorn with ws=RoomProtocol")
    await websocket.accept(subprotocol=wire.value if offered else None)
    show = websocket.path_params["id"]
    if not SHOW_ID.fullmatch(show):
        socket.close(Close.NO_SUCH_SHOW)
        return

    visitor = Visitor(show, socket, wire, socket.hear, websocket.cookies.get(COOKIE))
    socket.stay(partial(visit, chat.hub, visitor))


def _problem(status: int, code: str, title: str) -> Response:
    body = {
        "type": f"urn:kkot:problem:{code}",
        "title": title,
        "status": status,
        "detail": title,
        "code": code,
    }
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")
