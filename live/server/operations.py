"""The binder: the packages' typed operations become Starlette routes.

An operation is `(method, path, handler, status)`; packages know no Starlette. What a handler's
parameter is filled with is told by its name: a path name, `body` (JSON into its struct), `person`
(the signed-in account, else 401), `visitor` (the same or None), `idempotency_key` (header),
`cookies` and `address` (the client's), and any other name with a default: the query. A handler
that cannot be bound stops the start, not a request.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_type_hints

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from live.server.bodies import json_body, without_nul
from live.server.errors import IdempotencyKeyError, InvalidError, SignInRequiredError

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]

PATH_VALUE_CHARACTERS: Final = 128
"""A longer path value names nothing of ours: 404."""

IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")
PATH_NAME: Final = re.compile(r"{(\w+)}")
FILLED_BY_NAME: Final = frozenset(
    {"body", "person", "visitor", "idempotency_key", "cookies", "address"}
)


class Jar(Protocol):
    """The cookies of one request, and those its answer will set."""

    def write(self, response: Response) -> None:
        """Put what was kept and dropped into the answer."""


class Identity(Protocol):
    """Who makes a request."""

    def person(self, request: Request) -> str | None:
        """The signed-in account, if any. Raises `ForeignOriginError`."""

    def jar(self, request: Request) -> Jar:
        """The request's cookies."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one operation is called and what it answers."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    status: int
    path_names: tuple[str, ...]
    filled: frozenset[str]
    body: Any
    query: type[msgspec.Struct] | None
    returns: Any


class BindingError(TypeError):
    """A handler is declared in a way that cannot be bound."""


def plan(operation: Operation) -> Plan:
    """Read a handler's signature. Raises `BindingError`."""
    method, path, handler, status = operation
    hints = get_type_hints(handler, include_extras=True)
    path_names = tuple(PATH_NAME.findall(path))
    query: list[tuple[str, Any, Any]] = []
    filled = set()
    for name, parameter in inspect.signature(handler).parameters.items():
        if name not in hints:
            raise BindingError(f"{method} {path}: {name} has no annotation")
        if name in FILLED_BY_NAME:
            filled.add(name)
        elif name not in path_names:
            if parameter.default is inspect.Parameter.empty:
                raise BindingError(f"{method} {path}: what is {name}?")
            query.append((name, hints[name], parameter.default))
    if "return" not in hints:
        raise BindingError(f"{method} {path}: no return annotation")
    struct = msgspec.defstruct("Query", query, frozen=True) if query else None
    return Plan(
        *(method, path, handler, status, path_names, frozenset(filled)),
        *(hints.get("body"), struct, hints["return"]),
    )


def bind(plans: Iterable[Plan], identity: Identity) -> list[Route]:
    """One route per path; methods a path does not have get 405 with Allow."""
    by_path: dict[str, dict[str, Plan]] = {}
    for each in plans:
        methods = by_path.setdefault(each.path, {})
        if each.method in methods:
            raise BindingError(f"{each.method} {each.path} is there twice")
        methods[each.method] = each
    return [_route(path, methods, identity) for path, methods in by_path.items()]


def _route(path: str, methods: Mapping[str, Plan], identity: Identity) -> Route:
    return Route(path, Endpoint(methods, identity), methods=list(methods))


class Endpoint:
    """The operations of one path as an ASGI application, without the layers of a function's."""

    def __init__(self, methods: Mapping[str, Plan], identity: Identity) -> None:
        self._methods = methods
        self._identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Perform one operation. Raises what its handler raises."""
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        response = await _perform(self._methods[method], request, self._identity)
        await response(scope, receive, send)


async def _perform(plan: Plan, request: Request, identity: Identity) -> Response:
    arguments = _path_values(plan, request)
    jar: Jar | None = None
    if "person" in plan.filled:
        person = identity.person(request)
        if person is None:
            raise SignInRequiredError("Sign in first.")
        arguments["person"] = person
    if "visitor" in plan.filled:
        arguments["visitor"] = identity.person(request)
    if "idempotency_key" in plan.filled:
        arguments["idempotency_key"] = _idempotency_key(request)
    if "cookies" in plan.filled:
        arguments["cookies"] = jar = identity.jar(request)
    if "address" in plan.filled:
        arguments["address"] = request.client.host if request.client else ""
    if plan.query is not None:
        arguments |= _query_values(plan.query, request)
    if plan.body is not None:
        arguments["body"] = await json_body(request, plan.body)
    response = _response(plan, await plan.handler(**arguments))
    if jar is not None:
        jar.write(response)
    return response


def _path_values(plan: Plan, request: Request) -> dict[str, Any]:
    values = {name: request.path_params[name] for name in plan.path_names}
    for value in values.values():
        if len(value) > PATH_VALUE_CHARACTERS or "\x00" in value:
            raise HTTPException(404)
    return values


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise IdempotencyKeyError("Idempotency-Key: 1 to 64 printable ASCII characters.")
    return key


def _query_values(struct: type[msgspec.Struct], request: Request) -> dict[str, Any]:
    given = dict(request.query_params)
    try:
        query = msgspec.convert(given, struct, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidError(f"Query: {error}") from None
    without_nul(given)
    return {name: getattr(query, name) for name in struct.__struct_fields__}


def _response(plan: Plan, result: Any) -> Response:
    headers = {"Cache-Control": "no-store"}
    if result is None:
        return Response(status_code=204, headers=headers)
    body = msgspec.json.encode(result)
    return Response(body, plan.status, headers, media_type="application/json")
