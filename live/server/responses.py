"""The one place that turns errors into answers: `application/problem+json` (RFC 9457).

Every package raises its own tree of errors whose leaves carry a `code` and perhaps `facts`; the
table below gives each code its HTTP status. A store that is lost, full, or broke off a transaction
(deadlock) is 503 with Retry-After. Anything else that escapes is a fault of ours: 500 without
details, logged with the request's id.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2

STATUS: Final[Mapping[str, int]] = {
    "malformed": 400,
    "malformed_sdp": 400,
    "idempotency_key": 400,
    "sign_in": 401,
    "wrong_credentials": 401,
    "session_over": 401,
    "publish_key_refused": 401,
    "bad_signature": 401,
    "forbidden": 403,
    "foreign_origin": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "auction_open": 409,
    "bid_too_low": 409,
    "already_leading": 409,
    "email_taken": 409,
    "slug_taken": 409,
    "code_taken": 409,
    "price_changed": 409,
    "deal_short": 409,
    "not_for_sale": 409,
    "sold_out": 409,
    "limit_reached": 409,
    "not_enough_stock": 409,
    "coupon_refused": 409,
    "not_enough_points": 409,
    "too_many": 409,
    "too_many_waiting": 409,
    "idempotency_mismatch": 409,
    "show_started": 409,
    "show_ended": 409,
    "not_on_air": 409,
    "taken_over": 409,
    "auction_over": 410,
    "hold_expired": 410,
    "expired": 410,
    "precondition_failed": 412,
    "too_large": 413,
    "too_long": 413,
    "unsupported_media_type": 415,
    "unsupported_picture": 415,
    "invalid": 422,
    "card_number": 422,
    "name_refused": 422,
    "unacceptable_offer": 422,
    "precondition_required": 428,
    "too_many_attempts": 429,
    "too_many_requests": 429,
    "provider_unavailable": 502,
    "busy": 503,
    "overloaded": 503,
    "unavailable": 503,
    "store_lost": 503,
}
"""Code → HTTP status, for the errors of every package."""

HTTP_CODES: Final = {
    401: "sign_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
}
"""HTTP status → code, for what Starlette itself refuses."""

STORE_LOSS: Final = (
    *(asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError),
    *(asyncpg.InsufficientResourcesError, asyncpg.TransactionRollbackError, PoolTimeoutError),
    *(RedisConnectionError, RedisTimeoutError),
    OSError,
)
"""What drivers raise when a store is gone, has no room, or gave a transaction up for others' sake.

A unix socket that is gone is a file not found, a name that nobody knows for the moment and a host
of which no address answers are an `OSError` too, and so is a time that is over.
"""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """How every refusal looks; further members depend on the code."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


def problem(
    code: str,
    status: int,
    detail: str = "",
    *,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that tells a problem."""
    title = code.replace("_", " ").capitalize()
    told = Problem(
        type=f"urn:kkot:problem:{code}", title=title, status=status, code=code, detail=detail
    )
    body = msgspec.json.encode({**msgspec.to_builtins(told), **(facts or {})})
    extra = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, extra, media_type=PROBLEM_TYPE)


def answer(error: Exception) -> Response | None:
    """The answer to a refusal or a lost store; None when the error is no such thing."""
    if isinstance(error, HTTPException):
        return _http_problem(error)
    code = getattr(error, "code", None)
    if isinstance(code, str) and code in STATUS:
        return _refusal(error, code, STATUS[code])
    if isinstance(error, STORE_LOSS) or _connection_broke(error):
        log.warning("a store is away", error=repr(error))
        return problem(
            *("store_lost", 503, "A store is away for a moment; try again."),
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    if isinstance(error, ClientDisconnect):
        return problem("malformed", 400, "The body ended early.")
    return None


def _refusal(error: Exception, code: str, status: int) -> Response:
    facts = dict(getattr(error, "facts", None) or {})
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503 or code == "not_on_air":
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if "retry_after_s" in facts:
        headers["Retry-After"] = str(facts["retry_after_s"])
    return problem(code, status, str(error), facts=facts, headers=headers)


def _connection_broke(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig.__cause__ if error.orig else None
    return error.connection_invalidated or isinstance(cause, STORE_LOSS)


def _http_problem(error: HTTPException) -> Response:
    """Starlette's own refusals (404, 405 and what routes raise) in our form."""
    code = HTTP_CODES.get(error.status_code, f"http_{error.status_code}")
    return problem(code, error.status_code, error.detail, headers=error.headers)


class Problems:
    """ASGI middleware: no request ends without an answer, no answer tells our insides."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer what it raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as error:
            if started:
                raise
            await respond(error)(scope, receive, send)


def respond(error: Exception) -> Response:
    """The answer to whatever was raised; what nobody expected is logged."""
    return answer(error) or _unexpected(error)


def describe(error: Exception) -> dict[str, Any]:
    """The problem that `respond` tells, for who is told it otherwise than over HTTP."""
    told: dict[str, Any] = msgspec.json.decode(respond(error).body)
    return told


def _unexpected(error: Exception) -> Response:
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    log.error("request failed", error=repr(error), exc_info=error)
    return problem("internal", 500, "A fault of ours; it is logged.", facts={"request": request_id})
