"""What was acknowledged is there after SIGKILL: of the server, of Valkey, of PostgreSQL."""

import asyncio
import secrets

import httpx
import pytest

from chat.core.events import Accepted
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import (
    Json,
    Shop,
    hold,
    open_shop,
    order,
    pay,
    read,
    read_hold,
    sign_up,
    visit,
)

STORES = [("valkey", "valkey-server"), ("postgres", "postgres")]


async def product_of(client: httpx.AsyncClient, shop: Shop) -> Json:
    return await read(await client.get(f"/products/{shop.product}"))


async def held_by(client: httpx.AsyncClient) -> list[tuple[str, int]]:
    holds = (await read(await client.get("/holds")))["holds"]
    return [(each["id"], each["expires_at_ms"]) for each in holds]


async def kill_store(server: Server, store: str, process_name: str) -> None:
    """SIGKILL an embedded store; return when the server has it back and is ready."""
    before = len(server.lines)
    victim = server.store(process_name)
    victim.kill()
    await comes_back(server, store, victim.pid, since=before)


async def comes_back(server: Server, store: str, killed: int, since: int) -> None:
    """Return when the server has the store back, as another process, and is ready."""
    back = await server.says(
        lambda line: line["event"] == "store is up" and line["store"] == store, since=since
    )
    assert back["pid"] != killed
    await server.ready()


async def show_goes_on(server: Server, shop: Shop) -> None:
    """A newcomer enters, speaks and buys; who watches hears both."""
    buyer = await sign_up(server)
    async with visit(server, shop.show) as watcher:
        async with visit(server, shop.show, buyer.token) as speaker:
            await speaker.room.say("아직 있어요?")
            said = await watcher.hears(lambda event: event["type"] == "said")
            assert said["from"]["id"] == buyer.id
        async with server.client(buyer.token) as client:
            held = await read_hold(await hold(client, shop.product))
            stock = await watcher.hears(lambda event: event["type"] == "stock")
            assert stock["product"] == shop.product
            placed = await order(client, held["id"])
            assert (await pay(client, placed["id"]))["state"] == "paid"


async def test_a_hold_survives_the_server(mortal: Server) -> None:
    shop = await open_shop(mortal, stock=3)
    buyer = await sign_up(mortal)
    key = secrets.token_hex(8)
    async with mortal.client(buyer.token) as client:
        held = await read_hold(await hold(client, shop.product, key))
        await mortal.kill()
    await mortal.start()
    async with mortal.client(buyer.token) as client:
        assert await held_by(client) == [(held["id"], held["expires_at_ms"])]
        assert (await product_of(client, shop))["free"] == 2
        again = await read_hold(await hold(client, shop.product, key))
        assert (again["id"], again["expires_at_ms"]) == (held["id"], held["expires_at_ms"])
        assert (await product_of(client, shop))["held"] == 1
        placed = await order(client, held["id"])
        assert (await pay(client, placed["id"]))["state"] == "paid"
    await show_goes_on(mortal, shop)


async def test_a_hold_survives_an_orderly_stop(mortal: Server) -> None:
    shop = await open_shop(mortal, stock=3)
    buyer = await sign_up(mortal)
    async with mortal.client(buyer.token) as client:
        held = await read_hold(await hold(client, shop.product))
    assert await mortal.stop() == 0
    await mortal.start()
    async with mortal.client(buyer.token) as client:
        assert await held_by(client) == [(held["id"], held["expires_at_ms"])]


async def test_orders_survive_the_server(mortal: Server) -> None:
    shop = await open_shop(mortal, stock=2)
    buyer = await sign_up(mortal)
    async with mortal.client(buyer.token) as client:
        first = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        paid = await pay(client, first["id"])
        second = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        assert (paid["state"], second["state"]) == ("paid", "placed")
        await mortal.kill()
    await mortal.start()
    async with mortal.client(buyer.token) as client:
        assert (await read(await client.get(f"/orders/{first['id']}")))["state"] == "paid"
        kept = await read(await client.get(f"/orders/{second['id']}"))
        assert kept["lines"] == second["lines"]
        assert kept["expires_at_ms"] == second["expires_at_ms"]
        assert (await pay(client, second["id"]))["state"] == "paid"
        product = await product_of(client, shop)
        assert (product["free"], product["held"], product["sold"]) == (0, 0, 2)


async def test_a_money_that_was_taken_as_the_server_died_is_found(mortal: Server) -> None:
    shop = await open_shop(mortal, stock=1)
    buyer = await sign_up(mortal)
    async with mortal.client(buyer.token) as client:
        placed = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        redirect = (await read(await client.post(f"/orders/{placed['id']}/pay")))["redirect"]
        await client.post(f"{redirect}/approve")
        await mortal.kill()
    await mortal.start()
    async with mortal.client(buyer.token) as client:
        order_now = await read(await client.post(f"/orders/{placed['id']}/confirm"))
        assert order_now["state"] == "paid"
        assert (await product_of(client, shop))["sold"] == 1


@pytest.mark.parametrize(("store", "process_name"), STORES)
async def test_a_hold_survives_a_store(mortal: Server, store: str, process_name: str) -> None:
    shop = await open_shop(mortal, stock=5)
    buyer = await sign_up(mortal)
    async with mortal.client(buyer.token) as client:
        bought = await order(client, (await read_hold(await hold(client, shop.product)))["id"])
        assert (await pay(client, bought["id"]))["state"] == "paid"
        held = await read_hold(await hold(client, shop.product))
        await kill_store(mortal, store, process_name)
        assert await held_by(client) == [(held["id"], held["expires_at_ms"])]
        assert (await read(await client.get(f"/orders/{bought['id']}")))["state"] == "paid"
        placed = await order(client, held["id"])
        assert (await pay(client, placed["id"]))["state"] == "paid"
    await show_goes_on(mortal, shop)


async def test_who_asks_during_an_outage_is_told_to_ask_again(mortal: Server) -> None:
    shop = await open_shop(mortal, stock=5)
    buyer = await sign_up(mortal)
    key = secrets.token_hex(8)
    async with mortal.client(buyer.token) as client, asyncio.timeout(PATIENCE_S):
        before, victim = len(mortal.lines), mortal.store("postgres")
        victim.kill()
        while (answer := await hold(client, shop.product, key)).is_error:
            assert (answer.status_code, answer.json()["code"]) == (503, "store_lost")
            assert int(answer.headers["retry-after"]) > 0
        held = await read_hold(answer)
        # The first answer may be of a backend that has not yet noticed that its postmaster is gone
        await comes_back(mortal, "postgres", victim.pid, since=before)
        assert await held_by(client) == [(held["id"], held["expires_at_ms"])]
        assert (await product_of(client, shop))["free"] == 4


@pytest.mark.parametrize(("store", "process_name"), STORES)
async def test_who_is_in_the_room_stays_through_a_store_s_death(
    mortal: Server, store: str, process_name: str
) -> None:
    shop = await open_shop(mortal)
    async with (
        visit(mortal, shop.show) as watcher,
        visit(mortal, shop.show, shop.seller.token) as seller,
    ):
        await kill_store(mortal, store, process_name)
        answer = await seller.room.say("다시 왔어요")
        assert isinstance(answer, Accepted), answer
        # Told as it happens, or by the snapshot that follows an outage
        told = await watcher.hears(lambda event: "다시 왔어요" in _sayings(event))
        assert told["type"] in ("said", "welcome")


async def test_a_server_killed_with_its_stores_starts_again(mortal: Server) -> None:
    shop = await open_shop(mortal)
    stores = [mortal.store(process_name) for _, process_name in STORES]
    buyer = await sign_up(mortal)
    async with mortal.client(buyer.token) as client:
        held = await read_hold(await hold(client, shop.product))
        for store in stores:
            store.kill()
        await mortal.kill()
    await mortal.start()
    async with mortal.client(buyer.token) as client:
        assert await held_by(client) == [(held["id"], held["expires_at_ms"])]
    await show_goes_on(mortal, shop)


def _sayings(event: Json) -> list[str]:
    said = event.get("talk", []) if event["type"] == "welcome" else [event]
    return [each["text"] for each in said if "text" in each]
