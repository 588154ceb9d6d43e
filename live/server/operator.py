"""What the operator may see of this node: the media of every show, by a token of its own.

Without `KKOT_OPERATOR_TOKEN` nobody is the operator, and there is nothing to see.
"""

import hmac
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from live.relay.crowd import AudienceStatistics
from live.relay.relay import Relay
from live.relay.statistics import PublisherStatistics
from live.server.app import Doors
from live.server.errors import SignInRequiredError

OPENAPI: Final[dict[str, Any]] = {
    "/media": {
        "get": {
            "summary": "The media of every show on this node, for its operator",
            "tags": ["media"],
            "security": [{"operator": []}],
            "responses": {
                "200": {"description": "The shows"},
                "401": {"description": "Not the operator's token"},
                "404": {"description": "This node has no operator's token"},
            },
        }
    }
}


class ShowMedia(msgspec.Struct, frozen=True, kw_only=True):
    """One show on this node."""

    show: str
    publisher: PublisherStatistics | None
    audience: AudienceStatistics


class NodeMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Every show on this node."""

    shows: Sequence[ShowMedia]


def operator_doors(relay: Relay, token: str) -> Doors:
    """`GET /media` for whoever bears the token; "" for none."""

    async def media(request: Request) -> Response:
        if not token:
            raise HTTPException(404, "This node has no operator's token.")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not known:
            raise SignInRequiredError("The operator's token is needed as Bearer token.")
        shows = [
            ShowMedia(show=told.show, publisher=told.publisher, audience=told.audience)
            for told in relay.shows()
        ]
        body = msgspec.json.encode(NodeMedia(shows=shows))
        headers = {"Cache-Control": "no-store"}
        return Response(body, headers=headers, media_type="application/json")

    return Doors(routes=[Route("/media", media)], openapi=OPENAPI)
