"""What the operator may by a token of its own: see the media of every show on this node, and erase
what a person has said.

Without `KKOT_OPERATOR_TOKEN` nobody is the operator, and there is nothing to see.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chat.adapters.archive_routes import erasure_view
from chat.erasing import BY_THE_OPERATOR, Erasing
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
    },
    "/accounts/{account}/chat": {
        "delete": {
            "summary": "Erase what an account has said in all rooms until now, for the operator",
            "description": "Its addresses and the names it bid under go too, its orders stay. "
            "Again it changes nothing. After 503 it is to be asked for again.",
            "tags": ["accounts"],
            "security": [{"operator": []}],
            "parameters": [
                {"name": "account", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "responses": {
                "200": {"description": "How much was erased"},
                "401": {"description": "Not the operator's token"},
                "404": {"description": "This node has no operator's token, or there is no such id"},
                "503": {"description": "A store is away: come back after Retry-After"},
            },
        }
    },
}
ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ShowMedia(msgspec.Struct, frozen=True, kw_only=True):
    """One show on this node."""

    show: str
    publisher: PublisherStatistics | None
    audience: AudienceStatistics


class NodeMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Every show on this node."""

    shows: Sequence[ShowMedia]


def operator_doors(relay: Relay, erasing: Erasing, token: str) -> Doors:
    """What whoever bears the token may; "" for nobody."""

    async def media(request: Request) -> Response:
        _demand_operator(request, token)
        shows = [
            ShowMedia(show=told.show, publisher=told.publisher, audience=told.audience)
            for told in relay.shows()
        ]
        return _json(NodeMedia(shows=shows))

    async def erase(request: Request) -> Response:
        _demand_operator(request, token)
        account = request.path_params["account"]
        if not ACCOUNT.fullmatch(account):
            raise HTTPException(404, "No account has such an id.")
        return _json(erasure_view(await erasing.erase(account, BY_THE_OPERATOR)))

    routes = [
        Route("/media", media),
        Route("/accounts/{account}/chat", erase, methods=["DELETE"]),
    ]
    return Doors(routes=routes, openapi=OPENAPI)


def _demand_operator(request: Request, token: str) -> None:
    if not token:
        raise HTTPException(404, "This node has no operator's token.")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not known:
        raise SignInRequiredError("The operator's token is needed as Bearer token.")


def _json(told: msgspec.Struct) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(told), headers=headers, media_type="application/json")
