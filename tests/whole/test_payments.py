"""Paying at Toss Payments and at Stripe, whose stand-in posts its messages to the server."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.standin import stripe, toss
from tests.standin.process import StandIn
from tests.whole.server import Server
from tests.whole.shop import hold, open_shop, order, read, read_hold, sign_up, visit


@pytest_asyncio.fixture(scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Server, StandIn]]:
    """A server that has keys for both, and the stand-in that plays them."""
    folder = tmp_path_factory.mktemp("payments")
    data_dir: Path = folder / "var"
    server = Server(data_dir)
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
