"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03) over HTTP.

A session's URL is the proof of the right to end it: it cannot be guessed and goes only to the
client that began it. The entity tag of a session is that of its ICE session: a PATCH says by
If-Match which one it means, `*` for a restart (RFC 9725 §4.3). Who asks too often is told when to
come again before anything else is looked at, keys included.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from signaling.core import fragment
from signaling.core.rate_limit import Kind, RateLimits, client_of
from signaling.endpoint import Answer, Endpoint
from signaling.errors import (
    NotOnAir,
    NotSdp,
    OfferTooLong,
    Overloaded,
    PreconditionFailed,
    PreconditionMissing,
    PublishKeyRefused,
    ShowOver,
    SignalingError,
    TooManyRequests,
    UnknownShow,
)
from signaling.peer import Role

SDP: Final = "application/sdp"
OFFER_LIMIT_BYTES: Final = 65_536
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
}
PREFLIGHT: Final = CORS | {
    "Access-Control-Allow-Methods": "POST, GET, HEAD, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}
ACCEPT_POST: Final = {"Accept-Post": SDP}
ACCEPT_PATCH: Final = {"Accept-Patch": fragment.MEDIA_TYPE}
BLAMELESS: Final = (NotOnAir, ShowOver, Overloaded, TooManyRequests)
"""Refusals that are nobody's fault: they cost a client no more than its token."""

Links = Callable[[int], list[str]]
Handler = Callable[[Request], Awaitable[Response]]


def routes(endpoint: Endpoint, links: Links, limits: RateLimits) -> list[BaseRoute]:
    """The WHIP and WHEP endpoints; `links(now_s)` gives the Link values for TURN servers."""
    limited = partial(_limited, limits)
    whip = limited("publish", _whip(endpoint, links))
    whep = limited("watch", _whep(endpoint, links))
    return [
        *_door("/whip/{show}", "publisher", whip, endpoint, links, limited),
        *_door("/whep/{show}", "viewer", whep, endpoint, links, limited),
    ]


def _limited(limits: RateLimits, kind: Kind, handler: Handler) -> Handler:
    """The handler for those who have a token left (RFC 9725 §5)."""

    async def handle(request: Request) -> Response:
        client = _client(request)
        if wait_s := limits.admit(client, kind, time.monotonic()):
            raise TooManyRequests("too many requests from this address", wait_s)
        try:
            return await handler(request)
        except SignalingError as error:
            if not isinstance(error, BLAMELESS):
                limits.refused(client, kind, time.monotonic())
            raise

    return handle


def _client(request: Request) -> str:
    return client_of(request.client.host if request.client else "")


def _door(
    path: str,
    role: Role,
    post: Handler,
    endpoint: Endpoint,
    links: Links,
    limited: Callable[[Kind, Handler], Handler],
) -> list[BaseRoute]:
    async def end(request: Request) -> Response:
        endpoint.find(request.path_params["show"], request.path_params["session"], role).close()
        return Response(status_code=200, headers=CORS)

    async def look(request: Request) -> Response:
        await _require_show(endpoint, request)
        if role == "publisher":
            return Response(status_code=204, headers=CORS | ACCEPT_POST)
        return Response(status_code=200, headers=CORS | ACCEPT_POST, media_type=SDP)

    async def look_session(request: Request) -> Response:
        endpoint.find(request.path_params["show"], request.path_params["session"], role)
        return Response(status_code=204, headers=CORS | ACCEPT_PATCH)

    async def patch(request: Request) -> Response:
        peer = endpoint.find(request.path_params["show"], request.path_params["session"], role)
        body = await _body(request, fragment.MEDIA_TYPE)
        _check_tag(request.headers.getlist("if-match"), peer.ice.newest.ufrag)
        asked = fragment.parse(body)
        if asked.ufrag in ("", peer.ice.newest.remote_ufrag):
            return Response(status_code=204, headers=CORS)
        answer = endpoint.restart(peer, asked)
        headers = CORS | {"ETag": f'"{peer.ice.newest.ufrag}"'}
        return Response(answer, 200, headers, media_type=fragment.MEDIA_TYPE)

    async def options(request: Request) -> Response:
        response = Response(status_code=200, headers=PREFLIGHT | ACCEPT_POST | ACCEPT_PATCH)
        if "access-control-request-method" not in request.headers:
            _add_links(response, links)
        return response

    return [
        _resource(path, {"POST": post, "GET": look, "HEAD": look, "OPTIONS": options}),
        _resource(
            path + "/{session}",
            {
                "DELETE": limited("end", end),
                "GET": look_session,
                "HEAD": look_session,
                "PATCH": limited("change", patch),
                "OPTIONS": options,
            },
        ),
    ]


def _resource(path: str, handlers: Mapping[str, Handler]) -> Route:
    """One route for all methods of a path, so that a 405 names every method that is allowed."""

    async def handle(request: Request) -> Response:
        return await handlers[request.method](request)

    return Route(path, handle, methods=list(handlers))


def _whip(endpoint: Endpoint, links: Links) -> Handler:
    async def post(request: Request) -> Response:
        show = request.path_params["show"]
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        bearer = key.strip() if scheme.lower() == "bearer" else None
        match await endpoint.gate.may_publish(show, bearer):
            case "unknown_show":
                raise UnknownShow("there is no such show")
            case "unauthorized":
                raise PublishKeyRefused("the publish key of this show is needed as Bearer token")
            case "ended":
                raise ShowOver("this show has ended")
        offer = await _body(request, SDP)
        return _created(request, endpoint.publish(show, offer, _client(request)), links)

    return post


def _whep(endpoint: Endpoint, links: Links) -> Handler:
    async def post(request: Request) -> Response:
        show = request.path_params["show"]
        offer = await _body(request, SDP)
        if not endpoint.has_stream(show):
            await _require_show(endpoint, request)
            origin = await endpoint.gate.origin(show)
            if origin is None:
                raise NotOnAir("nobody publishes this show at the moment")
            return RedirectResponse(f"{origin}/whep/{show}", 307, headers=CORS)
        return _created(request, endpoint.watch(show, offer, _client(request)), links)

    return post


async def _require_show(endpoint: Endpoint, request: Request) -> None:
    if not await endpoint.gate.show_exists(request.path_params["show"]):
        raise UnknownShow("there is no such show")


def _check_tag(if_match: Sequence[str], current: str) -> None:
    """Whether a change means the ICE session that is current (RFC 9110 §13.1.1, RFC 9725 §4.3.1).

    `"*"` is taken for `*`: clients write it so.
    """
    if not if_match:
        raise PreconditionMissing("If-Match must name the ICE session, or be * for a restart")
    tags = {tag.strip() for value in if_match for tag in value.split(",")}
    if not tags & {"*", '"*"', f'"{current}"'}:
        raise PreconditionFailed("the ICE session has been restarted since")


async def _body(request: Request, expected: str) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != expected:
        raise NotSdp(f"the body must be {expected}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > OFFER_LIMIT_BYTES:
            raise OfferTooLong(f"the body has at most {OFFER_LIMIT_BYTES} bytes")
    return body.decode("utf-8", "replace")


def _created(request: Request, answer: Answer, links: Links) -> Response:
    location = f"{request.url.path}/{answer.session}"
    headers = CORS | {"Location": location, "ETag": f'"{answer.tag}"'}
    response = Response(answer.sdp, 201, headers, media_type=SDP)
    _add_links(response, links)
    return response


def _add_links(response: Response, links: Links) -> None:
    for link in links(int(time.time())):
        response.headers.append("Link", link)


def _operation(summary: str, statuses: dict[str, str], **more: Any) -> dict[str, Any]:
    responses = {status: {"description": text} for status, text in statuses.items()}
    return {"summary": summary, "responses": responses, **more}


_BODY: Final = {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}
_REFUSALS: Final = {
    "400": "Not a session description",
    "404": "No such show",
    "409": "Nobody publishes, a newer publisher took over, or the show has ended",
    "413": "The offer is too long",
    "415": "Not application/sdp",
    "422": "An offer this server does not take",
    "429": "Too many requests, or too many sessions being set up, from this address",
    "503": "Too many sessions are being set up",
}
_PARAMETER: Final = {"in": "path", "required": True, "schema": {"type": "string"}}
_SHOW: Final = [{"name": "show", **_PARAMETER}]
_SESSION: Final = [*_SHOW, {"name": "session", **_PARAMETER}]
_FRAGMENT: Final = {
    "required": True,
    "content": {fragment.MEDIA_TYPE: {"schema": {"type": "string"}}},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
}
_PATCH: Final = _operation(
    "Trickle a candidate, or restart ICE (RFC 9725 §4.3)",
    {
        "200": "Restarted: our new credentials and candidates",
        "204": "Taken note",
        "400": "Not an SDP fragment",
        "404": "No such session",
        "412": "Another ICE session is current",
        "413": "The fragment is too long",
        "415": f"Not {fragment.MEDIA_TYPE}",
        "428": "If-Match is missing",
        "429": "Too many requests from this address",
    },
    parameters=[*_SESSION, _IF_MATCH],
    requestBody=_FRAGMENT,
)
_ENDED: Final = {
    "200": "Ended",
    "404": "No such session",
    "429": "Too many requests from this address",
}

OPENAPI: Final[dict[str, Any]] = {
    "/whip/{show}": {
        "post": _operation(
            "Publish a show (WHIP, RFC 9725)",
            {"201": "The answer", "401": "The publish key is missing or wrong", **_REFUSALS},
            parameters=_SHOW,
            requestBody=_BODY,
            security=[{"publishKey": []}],
        ),
    },
    "/whip/{show}/{session}": {
        "patch": _PATCH,
        "delete": _operation("Stop publishing", _ENDED, parameters=_SESSION),
    },
    "/whep/{show}": {
        "post": _operation(
            "Watch a show (WHEP, draft-ietf-wish-whep-03)",
            {"201": "The answer", "307": "Another node has the show", **_REFUSALS},
            parameters=_SHOW,
            requestBody=_BODY,
        ),
    },
    "/whep/{show}/{session}": {
        "patch": _PATCH,
        "delete": _operation("Stop watching", _ENDED, parameters=_SESSION),
    },
}
