"""Cart over HTTP: typed operations for JSON, raw routes for pictures and webhooks.

Here, and only here, a decision that refuses becomes an error.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from cart.adapters import pictures, wire
from cart.adapters.service import Cart
from cart.core import deal, stock
from cart.core.catalog import Product, Store
from cart.core.draft import NewProduct, ProductChange
from cart.core.hold import Hold
from cart.core.order import Order
from cart.errors import (
    BadSignature,
    DealShort,
    IdempotencyMismatch,
    Invalid,
    LimitReached,
    NotForSale,
    NotFound,
    PriceChanged,
    SignInRequired,
    SoldOut,
    TooLarge,
)

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Identify = Callable[[Request], Awaitable[str | None]]
"""The signed-in person of a raw request, cross-site requests taken care of; None: nobody."""

WEBHOOK_LIMIT_BYTES: Final = 64 * 1024

_PICTURE: Final[Any] = {"schema": {"type": "string", "format": "binary"}}
_PRODUCT_PARAMETER: Final[Any] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}

OPENAPI: Final[dict[str, Any]] = {
    "/products/{id}/picture": {
        "get": {
            "summary": "A product's picture: JPEG, at most 800 pixels on its longer edge.",
            "parameters": [_PRODUCT_PARAMETER],
            "responses": {
                "200": {"description": "The picture.", "content": {"image/jpeg": _PICTURE}},
                "304": {"description": "The picture you have is the newest."},
                "404": {"description": "No picture."},
            },
        },
        "put": {
            "summary": "Give a product its picture: JPEG, PNG or WebP of at most 8 MiB.",
            "parameters": [_PRODUCT_PARAMETER],
            "requestBody": {
                "required": True,
                "content": {f"image/{kind}": _PICTURE for kind in ("jpeg", "png", "webp")},
            },
            "responses": {
                "200": {"description": "The product."},
                "401": {"description": "Nobody is signed in."},
                "403": {"description": "Somebody else's store."},
                "404": {"description": "No such product."},
                "413": {"description": "More than 8 MiB."},
                "415": {"description": "No picture, or one with too many pixels."},
            },
        },
    },
    "/payments/{provider}/webhook": {
        "post": {
            "summary": "A payment provider's signed message.",
            "parameters": [{**_PRODUCT_PARAMETER, "name": "provider"}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": {
                "200": {"description": "Understood, now or before."},
                "401": {"description": "Not signed by the provider, or too long ago."},
                "404": {"description": "No such provider."},
                "413": {"description": "More than 64 KiB."},
            },
        }
    },
}


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""
    return [*_store_operations(cart), *_hold_operations(cart), *_order_operations(cart)]


def _store_operations(cart: Cart) -> list[Operation]:
    shopping = cart.shopping

    async def list_stores(after: str = "") -> wire.Stores:
        """Stores by slug, at most 100; `after` continues a list."""
        return wire.Stores(stores=await shopping.stores(after))

    async def open_store(person: str, body: wire.NewStore) -> Store:
        """Open a store."""
        return await shopping.open_store(person, slug=body.slug, name=body.name, story=body.story)

    async def get_store(slug: str) -> Store:
        """A store."""
        return await shopping.store(slug)

    async def edit_store(person: str, slug: str, body: wire.StoreEdit) -> Store:
        """Change a store's words, its delivery terms, or what buyers earn."""
        return await shopping.edit_store(person, slug, **msgspec.structs.asdict(body))

    async def list_products(slug: str) -> wire.Products:
        """A store's products, oldest first."""
        return wire.Products(products=await shopping.products_in(slug))

    async def add_product(
        person: str, slug: str, idempotency_key: str, body: NewProduct
    ) -> Product:
        """Put a product on sale; the same key gives the same product."""
        return await shopping.add_product(person, slug, idempotency_key, body)

    async def get_product(id: str) -> Product:  # noqa: A002 - the path's name
        """A product with its stock."""
        return await shopping.product(id)

    async def edit_product(
        person: str,
        id: str,  # noqa: A002 - the path's name
        body: ProductChange,
    ) -> Product:
        """Change a product, its SKUs, their prices or their stock."""
        return await shopping.edit_product(person, id, body)

    return [
        ("GET", "/stores", list_stores, 200),
        ("POST", "/stores", open_store, 201),
        ("GET", "/stores/{slug}", get_store, 200),
        ("PATCH", "/stores/{slug}", edit_store, 200),
        ("GET", "/stores/{slug}/products", list_products, 200),
        ("POST", "/stores/{slug}/products", add_product, 201),
        ("GET", "/products/{id}", get_product, 200),
        ("PATCH", "/products/{id}", edit_product, 200),
    ]


def _hold_operations(cart: Cart) -> list[Operation]:
    async def hold(person: str, idempotency_key: str, body: wire.NewHolds) -> wire.Holds:
        """Hold all these units until a deadline, or none; the same key gives the same holds."""
        holds = granted(
            await cart.holding.hold(person, idempotency_key, body.lines, show=body.show)
        )
        return wire.Holds(holds=holds, now_ms=holds[0].now_ms)

    async def list_holds(person: str) -> wire.Holds:
        """Your holds with a running deadline."""
        holds, now_ms = await cart.holding.live(person)
        return wire.Holds(holds=holds, now_ms=now_ms)

    async def release(person: str, id: str) -> None:  # noqa: A002 - the path's name
        """Give held units back."""
        await cart.holding.release(person, id)

    async def extend(person: str, id: str) -> Hold:  # noqa: A002 - the path's name
        """Give held units more time, once; again it changes nothing."""
        return await cart.holding.extend(person, id)

    return [
        ("POST", "/holds", hold, 201),
        ("POST", "/holds/{id}/extend", extend, 200),
        ("GET", "/holds", list_holds, 200),
        ("DELETE", "/holds/{id}", release, 204),
    ]


def _order_operations(cart: Cart) -> list[Operation]:
    checkout = cart.checkout

    async def place(person: str, idempotency_key: str, body: wire.NewOrder) -> Order:
        """Place an order from holds; the same key gives the same order."""
        return await checkout.place(
            person,
            idempotency_key,
            holds=body.holds,
            recipient=body.recipient,
            total_minor=body.total_minor,
            coupon=body.coupon,
            points_minor=body.points_minor,
        )

    async def list_orders(person: str) -> wire.Orders:
        """Your newest orders."""
        return wire.Orders(orders=await checkout.orders_of(person))

    async def get_order(person: str, id: str) -> Order:  # noqa: A002 - the path's name
        """An order, for its buyer and its seller."""
        return await checkout.order(person, id)

    async def store_orders(person: str, slug: str, before: str = "") -> wire.Orders:
        """A store's newest orders, for its owner, at most 100; `before` (an id) continues."""
        return wire.Orders(orders=await checkout.orders_for(person, slug, before))

    async def pay(
        person: str,
        id: str,  # noqa: A002 - the path's name
        provider: str = "",
    ) -> wire.Redirect:
        """Begin, or go on with, paying an order; `provider` chooses where there are several."""
        return wire.Redirect(redirect=await checkout.pay(person, id, provider))

    async def confirm(person: str, id: str) -> Order:  # noqa: A002 - the path's name
        """Settle an order's payment as far as the provider lets it."""
        return await checkout.confirm(person, id)

    async def cancel(person: str, id: str) -> Order:  # noqa: A002 - the path's name
        """Cancel an order, returning units and money."""
        return await checkout.cancel(person, id)

    return [
        ("POST", "/orders", place, 201),
        ("GET", "/orders", list_orders, 200),
        ("GET", "/orders/{id}", get_order, 200),
        ("GET", "/stores/{slug}/orders", store_orders, 200),
        ("POST", "/orders/{id}/pay", pay, 200),
        ("POST", "/orders/{id}/confirm", confirm, 200),
        ("POST", "/orders/{id}/cancel", cancel, 200),
    ]


def granted(decision: stock.Decision) -> tuple[Hold, ...]:
    """The holds of a decision; a refusal is raised as its error."""
    match decision:
        case stock.Granted(holds) | stock.Repeated(holds):
            return holds
        case stock.SoldOut(sku, free, held):
            facts = {"sku": sku, "free": free, "held": held, "may_wait": free == 0}
            raise SoldOut("not that many are free", **facts)
        case stock.LimitReached(product, limit):
            raise LimitReached(f"at most {limit} for one buyer", product=product, limit=limit)
        case deal.DealShort(product, left):
            raise DealShort("fewer are left at this price", product=product, left=left)
        case deal.NotForSale(product):
            raise NotForSale("not on sale now", product=product)
        case stock.PriceChanged(sku, price_minor):
            raise PriceChanged("it costs something else now", sku=sku, price_minor=price_minor)
        case stock.OutOfBounds(limit):
            raise Invalid(f"1 to {limit}", field="quantity")
        case stock.KeyReused():
            raise IdempotencyMismatch
        case stock.NoSuchSku(sku):
            raise NotFound("no such SKU", sku=sku)


def routes(cart: Cart, identify: Identify) -> list[BaseRoute]:
    """The raw routes: pictures and webhooks."""
    # Decoding takes memory by the hundred megabytes: one picture at a time, the others wait.
    darkroom = asyncio.Semaphore(1)

    async def put_picture(request: Request) -> Response:
        person = await identify(request)
        if person is None:
            raise SignInRequired
        product = await cart.shopping.product(request.path_params["id"])
        await cart.shopping.own_store(person, product.store)
        body = await read_body(request, pictures.BODY_LIMIT_BYTES)
        async with darkroom:
            picture = await pictures.encode(body)
        saved = await cart.shopping.save_picture(person, product.id, picture)
        return JSONResponse(msgspec.to_builtins(saved))

    async def get_picture(request: Request) -> Response:
        picture = await cart.shopping.picture(request.path_params["id"])
        exact = request.query_params.get("v") == picture.etag
        age = "max-age=31536000, immutable" if exact else "max-age=60"
        headers = {
            "etag": f'"{picture.etag}"',
            "cache-control": f"public, {age}",
            "x-content-type-options": "nosniff",
        }
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    async def webhook(request: Request) -> Response:
        provider = cart.providers.get(request.path_params["provider"])
        if provider is None:
            raise NotFound("no such provider")
        body = await read_body(request, WEBHOOK_LIMIT_BYTES)
        payment = provider.read_webhook(request.headers, body, time.time())
        if payment is None:
            raise BadSignature
        if payment:
            await cart.settling.hurry(payment)
            await cart.refunding.hurry(payment)
        # Toss counts nothing but 200 as heard.
        return Response(status_code=200)

    return [
        Route("/products/{id}/picture", put_picture, methods=["PUT"]),
        Route("/products/{id}/picture", get_picture, methods=["GET"]),
        Route("/payments/{provider}/webhook", webhook, methods=["POST"]),
    ]


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; raises `TooLarge` before more than the limit is kept."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge(limit_bytes=limit_bytes)
    return bytes(body)
