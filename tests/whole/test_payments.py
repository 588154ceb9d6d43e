"""Paying at Toss Payments and at Stripe, whose stand-in posts its messages to the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from tests.bench.audience import passed
from tests.conftest import MakeFolder
from tests.standin import stripe, toss
from tests.standin.faults import Fault
from tests.standin.process import StandIn
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import PRICE_MINOR, hold, open_shop, order, read, read_hold, sign_up, visit


@pytest_asyncio.fixture(scope="module")
async def house(
    migrated_dirs: MakeFolder, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, StandIn]]:
    """A server that has keys for both, and the stand-in that plays them."""
    folder = tmp_path_factory.mktemp("payments")
    server = Server(migrated_dirs())
    standin = StandIn(folder, server.url)
    server.configure(
        KKOT_TOSS_SECRET_KEY=toss.SECRET_KEY,
        KKOT_TOSS_URL=standin.url,
        KKOT_STRIPE_SECRET_KEY=stripe.SECRET_KEY,
        KKOT_STRIPE_WEBHOOK_SECRET=stripe.WEBHOOK_SECRET,
        KKOT_STRIPE_URL=standin.url,
    )
    await standin.start()
    await server.start()
    yield server, standin
    await server.close()
    await standin.kill()


@pytest.mark.parametrize("provider", ["toss", "stripe"])
async def test_message_alone_is_enough_for_an_order_to_be_paid(
    house: tuple[Server, StandIn], provider: str
) -> None:
    server, standin = house
    shop, buyer = await open_shop(server, stock=1), await sign_up(server)
    async with (
        server.client(buyer.token) as client,
        visit(server, shop.show, shop.seller.token) as seller,
    ):
        assert await read(await client.get("/payments/methods")) == {
            "providers": ["toss", "stripe"]
        }
        placed = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        undecided = await client.post(f"/orders/{placed['id']}/pay")
        assert undecided.json()["field"] == "provider"
        where = await read(await client.post(f"/orders/{placed['id']}/pay?provider={provider}"))
        back = await standin.decide(where["redirect"], "approve")
        assert back.headers["location"].startswith(f"{server.url}/orders/{placed['id']}")
        told = await seller.hears(lambda event: event["type"] == "order")
        assert (told["order"]["id"], told["order"]["state"]) == (placed["id"], "paid")
        paid = await read(await client.get(f"/orders/{placed['id']}"))
        assert paid["state"] == "paid"
        cancelled = await read(await client.post(f"/orders/{placed['id']}/cancel"))
        assert cancelled["state"] == "cancelled"


async def test_sandbox_is_no_way_to_pay_here(house: tuple[Server, StandIn]) -> None:
    server, _ = house
    shop, buyer = await open_shop(server), await sign_up(server)
    async with server.client(buyer.token) as client:
        placed = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        refused = await client.post(f"/orders/{placed['id']}/pay?provider=sandbox")
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        forged = await client.post("/payments/stripe/webhook", content=b"{}")
        assert forged.status_code == httpx.codes.UNAUTHORIZED


async def test_keys_are_said_nowhere(house: tuple[Server, StandIn]) -> None:
    server, _ = house
    secrets = (toss.SECRET_KEY, stripe.SECRET_KEY, stripe.WEBHOOK_SECRET)
    said = "".join(map(str, server.lines))
    assert not any(secret in said for secret in secrets)


async def waits_for(look: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so; looked for again and again."""
    async with asyncio.timeout(PATIENCE_S):
        while not await look():
            await passed(0.05)


async def everybody_dies(server: Server, standin: StandIn) -> None:
    """Shop and provider are killed and come back."""
    await server.kill()
    await standin.kill()
    await standin.start()
    await server.start()


@pytest.mark.parametrize("provider", ["toss", "stripe"])
async def test_money_is_found_wherever_somebody_dies(
    house: tuple[Server, StandIn], provider: str
) -> None:
    server, standin = house
    shop, buyer = await open_shop(server, stock=2), await sign_up(server)
    async with server.client(buyer.token) as buying, server.client(shop.seller.token) as selling:
        held = await read_hold(await hold(buying, shop.product, quantity=2))
        placed = f"/orders/{(await order(buying, held['id']))['id']}"
        where = await read(await buying.post(f"{placed}/pay?provider={provider}"))
        before = await standin.taken()
        # The charge is made, its answer never comes: then everybody dies.
        await standin.plan("confirm", Fault.HANG_AFTER, times=2)
        await standin.decide(where["redirect"], "approve")

        async def charged() -> bool:
            return await standin.taken() == before + 2 * PRICE_MINOR

        async def is_paid() -> bool:
            return bool((await read(await buying.get(placed)))["state"] == "paid")

        await waits_for(charged)
        await everybody_dies(server, standin)
        await waits_for(is_paid)
        assert await charged(), "once"

        await standin.plan("cancel", Fault.HANG_AFTER, times=2)
        body = {"lines": [{"line": 0, "quantity": 1}]}
        key = {"Idempotency-Key": "one"}
        await read(await selling.post(f"{placed}/refunds", json=body, headers=key))

        async def halved() -> bool:
            return await standin.taken() == before + PRICE_MINOR

        async def is_done() -> bool:
            (refund,) = (await read(await buying.get(placed)))["refunds"]
            return bool(refund["state"] == "done")

        await waits_for(halved)
        await everybody_dies(server, standin)
        await waits_for(is_done)
        assert await halved(), "once"
        again = await read(await selling.post(f"{placed}/refunds", json=body, headers=key))
        assert (again["refunded_minor"], len(again["refunds"])) == (PRICE_MINOR, 1)
