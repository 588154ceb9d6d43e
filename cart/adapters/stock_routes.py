"""The seller's stock over HTTP: typed operations, and sheets as they are."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cart.adapters.routes import Identify, read_body
from cart.adapters.service import Cart
from cart.core.bulk import Report
from cart.core.catalog import Product
from cart.core.draft import StockChange
from cart.core.sheet import SHEET_LIMIT_BYTES
from cart.errors import Invalid, SignInRequired
from cart.stocking import StockLine

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]

_SLUG: Final[Any] = {
    "name": "slug",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}
_SHEET: Final[Any] = {"text/csv": {"schema": {"type": "string"}}}
_REFUSALS: Final[Any] = {
    "401": {"description": "Nobody is signed in."},
    "403": {"description": "Somebody else's store."},
    "404": {"description": "No such store."},
}

OPENAPI: Final[dict[str, Any]] = {
    "/stores/{slug}/sheet": {
        "get": {
            "summary": "A store's products and stock as CSV, one line for each SKU.",
            "parameters": [_SLUG],
            "responses": {"200": {"description": "The sheet.", "content": _SHEET}, **_REFUSALS},
        },
    },
    "/stores/{slug}/import": {
        "post": {
            "summary": "Add and change products, SKUs and stock by a sheet: all of it, or nothing.",
            "description": "The report tells of each line that is not good; then nothing is done. "
            "The same Idempotency-Key does a sheet once; one that makes something, or changes "
            "units by a difference, is done once under whatever key. "
            "With `dry_run=true` nothing is done. "
            "`free` is the units there should be; beside `free_seen`, what was free when the sheet "
            "was written, the units change by the difference.",
            "parameters": [
                _SLUG,
                {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}},
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                },
            ],
            "requestBody": {"required": True, "content": _SHEET},
            "responses": {
                "200": {
                    "description": "The report.",
                    "content": {"application/json": {"schema": msgspec.json.schema(Report)}},
                },
                "400": {"description": "In no encoding that is known here."},
                **_REFUSALS,
                "409": {"description": "The key was used, or the store was changed meanwhile."},
                "413": {"description": "More than 1 MiB."},
                "422": {"description": "No Idempotency-Key, or none that can be one."},
            },
        },
    },
}


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """A store's units, by SKU."""

    skus: Sequence[StockLine]


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""

    async def change_stock(
        person: str,
        id: str,  # noqa: A002 - the path's name
        idempotency_key: str,
        body: StockChange,
    ) -> Product:
        """Add to, or take from, a product's free units; the same key does it once."""
        return await cart.stocking.change(person, id, idempotency_key, body)

    async def view_stock(person: str, slug: str) -> Stock:
        """What of a store's SKUs is free, held and sold, and who waits, for its owner."""
        return Stock(skus=await cart.stocking.view(person, slug))

    return [
        ("POST", "/products/{id}/stock", change_stock, 200),
        ("GET", "/stores/{slug}/stock", view_stock, 200),
    ]


def routes(cart: Cart, identify: Identify) -> list[BaseRoute]:
    """The raw routes: sheets."""

    async def export(request: Request) -> Response:
        person = await identify(request)
        if person is None:
            raise SignInRequired
        slug = request.path_params["slug"]
        text = await cart.importing.export(person, slug)
        headers = {
            "content-disposition": f'attachment; filename="{slug}.csv"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)

    async def bring_in(request: Request) -> Response:
        person = await identify(request)
        if person is None:
            raise SignInRequired
        dry_run = request.query_params.get("dry_run", "false")
        if dry_run not in ("true", "false"):
            raise Invalid("true or false", field="dry_run")
        report = await cart.importing.bring_in(
            person,
            request.path_params["slug"],
            request.headers.get("idempotency-key", ""),
            await read_body(request, SHEET_LIMIT_BYTES),
            dry_run=dry_run == "true",
        )
        return Response(msgspec.json.encode(report), media_type="application/json")

    return [
        Route("/stores/{slug}/sheet", export, methods=["GET"]),
        Route("/stores/{slug}/import", bring_in, methods=["POST"]),
    ]
