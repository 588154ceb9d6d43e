"""Cart over HTTP: operations as declared, pictures, webhooks."""

import inspect
import io
import time
from collections.abc import AsyncIterator
from typing import Any, get_type_hints

import httpx
import msgspec
import pytest
import pytest_asyncio
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cart.adapters import wire
from cart.adapters.payment_sandbox import SIGNATURE, Notice
from cart.adapters.pictures import BODY_LIMIT_BYTES
from cart.adapters.routes import OPENAPI, granted, operations, routes
from cart.core import stock
from cart.core.draft import NewProduct
from cart.core.hold import HoldLine
from cart.core.order import OrderState
from cart.core.payment import Standing
from cart.errors import (
    CartError,
    IdempotencyMismatch,
    Invalid,
    LimitReached,
    NotFound,
    PriceChanged,
    SignInRequired,
    SoldOut,
)
from tests.cart.shop import BUYER, RECIPIENT, SELLER, Shop

WEBHOOK = "/payments/sandbox/webhook"


async def identify(request: Request) -> str | None:
    """The person of a request, as the tests say it."""
    return request.headers.get("person")


async def refuse(request: Request, error: Exception) -> Response:
    """An error as its code."""
    assert isinstance(error, CartError)
    status = 401 if isinstance(error, SignInRequired) else 400
    return JSONResponse({"code": error.code, **error.facts}, status_code=status)


@pytest_asyncio.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the raw routes."""
    app = Starlette(routes=routes(shop.cart, identify), exception_handlers={CartError: refuse})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


def call(shop: Shop, method: str, path: str) -> Any:
    """The handler of an operation."""
    (handler,) = [h for m, p, h, _ in operations(shop.cart) if (m, p) == (method, path)]
    return handler


def test_operations_are_fully_declared(shop: Shop) -> None:
    declared = operations(shop.cart)
    assert len({(method, path) for method, path, _, _ in declared}) == len(declared) == 19
    for method, path, handler, status in declared:
        hints = get_type_hints(handler, include_extras=True)
        assert set(inspect.signature(handler).parameters) == set(hints) - {"return"}
        assert inspect.getdoc(handler), path
        assert (status == 204) == (hints["return"] is type(None))
        assert ("body" in hints) <= (method != "GET")


def test_raw_routes_are_described(shop: Shop) -> None:
    declared = {
        (route.path, method.lower())
        for route in routes(shop.cart, identify)
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert declared == {(path, method) for path, item in OPENAPI.items() for method in item}


async def test_from_shelf_to_paid_order_through_the_operations(shop: Shop) -> None:
    await call(shop, "POST", "/stores")(SELLER, wire.NewStore(slug="jeju", name="제주"))
    product = await call(shop, "POST", "/stores/{slug}/products")(
        SELLER, "jeju", "k", NewProduct(title="귤", price_minor=9_000, stock=2)
    )
    line = HoldLine(sku=product.id, quantity=2, price_minor=9_000)
    (hold,) = (
        await call(shop, "POST", "/holds")(BUYER, "k", wire.NewHolds(lines=[line], show="s1"))
    ).holds
    listed = await call(shop, "GET", "/holds")(BUYER)
    assert [one.id for one in listed.holds] == [hold.id]
    order = await call(shop, "POST", "/orders")(
        BUYER, "o", wire.NewOrder(holds=[hold.id], recipient=RECIPIENT, total_minor=18_000)
    )
    where = await call(shop, "POST", "/orders/{id}/pay")(BUYER, order.id)
    await shop.sandbox.decide(where.redirect.rpartition("/")[2], Standing.AUTHORIZED)
    paid = await call(shop, "POST", "/orders/{id}/confirm")(BUYER, order.id)
    assert (paid.state, paid.total_minor) == (OrderState.PAID, 18_000)
    seen = await call(shop, "GET", "/stores/{slug}/orders")(SELLER, "jeju")
    assert [one.id for one in seen.orders] == [order.id]
    answer = msgspec.json.decode(msgspec.json.encode(paid))
    assert set(answer) == {
        *("id", "store", "buyer", "state", "lines", "goods_minor", "coupon", "coupon_minor"),
        *("delivery_minor", "points_minor", "total_minor", "earns_minor", "currency", "recipient"),
        *("created_at_ms", "expires_at_ms", "now_ms", "refunded_minor", "refunds"),
    }
    sold = await call(shop, "GET", "/products/{id}")(product.id)
    assert set(msgspec.to_builtins(sold)) == {
        *("id", "store", "title", "description", "price_minor", "currency", "picture"),
        *("on_hand", "free", "held", "sold", "limit_per_buyer", "version"),
        *("option_names", "skus"),
    }


@pytest.mark.parametrize(
    ("decision", "error", "told"),
    [
        (stock.SoldOut("s", 0, 2), SoldOut, {"sku": "s", "free": 0, "held": 2, "may_wait": True}),
        (stock.SoldOut("s", 1, 0), SoldOut, {"sku": "s", "free": 1, "held": 0, "may_wait": False}),
        (stock.LimitReached("p", 3), LimitReached, {"product": "p", "limit": 3}),
        (stock.PriceChanged("s", 9), PriceChanged, {"sku": "s", "price_minor": 9}),
        (stock.OutOfBounds(99), Invalid, {"field": "quantity"}),
        (stock.KeyReused(), IdempotencyMismatch, {}),
        (stock.NoSuchSku("s"), NotFound, {"sku": "s"}),
    ],
)
def test_refusals_become_errors(
    decision: stock.Decision, error: type[CartError], told: dict[str, Any]
) -> None:
    with pytest.raises(error) as caught:
        granted(decision)
    assert caught.value.facts == told


async def test_picture_goes_up_and_comes_down(shop: Shop, client: httpx.AsyncClient) -> None:
    product = await shop.stock(1)
    path = f"/products/{product.id}/picture"
    assert (await client.get(path)).json()["code"] == "not_found"
    out = io.BytesIO()
    Image.new("RGB", (900, 900), "red").save(out, "PNG")
    saved = await client.put(path, content=out.getvalue(), headers={"person": SELLER})
    assert saved.json()["picture"].startswith(path + "?v=")
    assert saved.json()["version"] == product.version + 1
    got = await client.get(saved.json()["picture"])
    assert (got.headers["content-type"], got.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert "immutable" in got.headers["cache-control"]
    assert "immutable" not in (await client.get(path)).headers["cache-control"]
    same = await client.get(path, headers={"if-none-match": got.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert (await shop.hear("product"))[-1]["product"]["picture"] == saved.json()["picture"]


async def test_pictures_come_from_the_owner_and_are_bounded(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    product = await shop.stock(1)
    path = f"/products/{product.id}/picture"
    assert (await client.put(path, content=b"x")).json()["code"] == "sign_in"
    stranger = await client.put(path, content=b"x", headers={"person": BUYER})
    assert stranger.json()["code"] == "forbidden"
    seller = {"person": SELLER}
    assert (await client.put(path, content=b"x", headers=seller)).json() == {
        "code": "unsupported_media_type"
    }
    large = await client.put(path, content=bytes(BODY_LIMIT_BYTES + 1), headers=seller)
    assert large.json()["code"] == "too_large"
    nowhere = await client.put("/products/%00/picture", content=b"x", headers=seller)
    assert nowhere.json()["code"] == "not_found"


async def test_webhook_settles_and_may_be_replayed(shop: Shop, client: httpx.AsyncClient) -> None:
    tea = await shop.stock(2)
    order = await shop.order(await shop.hold(tea))
    payment = await shop.pay(order, Standing.AUTHORIZED)
    body = msgspec.json.encode(Notice(id=1, payment=payment, standing="authorized"))
    headers = {SIGNATURE: shop.sandbox.sign(body, time.time())}
    for _ in range(3):
        assert (await client.post(WEBHOOK, content=body, headers=headers)).status_code == 200
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PAID
    assert await shop.counters(tea) == (1, 0, 1)
    assert len(await shop.hear("order")) == 1


async def test_webhook_that_lies_moves_nothing(shop: Shop, client: httpx.AsyncClient) -> None:
    tea = await shop.stock(1)
    order = await shop.order(await shop.hold(tea))
    payment = (await shop.cart.checkout.pay(BUYER, order.id)).rpartition("/")[2]
    body = msgspec.json.encode(Notice(id=1, payment=payment, standing="confirmed"))
    signed = {SIGNATURE: shop.sandbox.sign(body, time.time())}
    stale = {SIGNATURE: shop.sandbox.sign(body, time.time() - 3_600)}
    for headers in ({}, stale, {SIGNATURE: signed[SIGNATURE].upper()}):
        answer = await client.post(WEBHOOK, content=body, headers=headers)
        assert answer.json()["code"] == "bad_signature"
    # Even a true signature is only a reason to ask the provider, who knows of no money.
    assert (await client.post(WEBHOOK, content=body, headers=signed)).status_code == 200
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PLACED
    assert (await client.post("/payments/none/webhook")).json()["code"] == "not_found"
    long = await client.post(WEBHOOK, content=bytes(70_000))
    assert long.json()["code"] == "too_large"
