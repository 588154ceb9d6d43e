"""Auctions over the API of a running server: who may, what is refused, what newcomers are told."""

import secrets
from typing import Any

import httpx

from tests.whole.server import Server
from tests.whole.shop import Json, open_shop, read, sign_up, visit


async def start(client: httpx.AsyncClient, show: str, sku: str, **said: Any) -> httpx.Response:
    """Ask for an auction."""
    body = {"sku": sku, "start_minor": 1_000} | said
    key = {"Idempotency-Key": secrets.token_hex(8)}
    return await client.post(f"/shows/{show}/auctions", json=body, headers=key)


async def bid(client: httpx.AsyncClient, auction: Json, amount_minor: int) -> httpx.Response:
    """Bid."""
    key = {"Idempotency-Key": secrets.token_hex(8)}
    said = {"amount_minor": amount_minor}
    return await client.post(f"/auctions/{auction['id']}/bids", json=said, headers=key)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_bids_are_taken_and_refused_with_reasons(server: Server) -> None:
    shop = await open_shop(server, stock=2)
    anna = await sign_up(server, "안나")
    async with server.client(shop.seller.token) as selling, server.client(anna.token) as buying:
        assert code(await start(buying, shop.show, shop.product)) == (403, "forbidden")
        assert code(await start(selling, "none", shop.product)) == (404, "not_found")
        assert code(await start(selling, shop.show, shop.product, quantity=3)) == (409, "sold_out")
        assert code(await start(selling, shop.show, shop.product, length_s=4)) == (422, "invalid")
        auction = await read(await start(selling, shop.show, shop.product))
        assert code(await start(selling, shop.show, shop.product)) == (409, "auction_open")
        low = await bid(buying, auction, 999)
        assert code(low) == (409, "bid_too_low")
        assert low.json()["minimum_minor"] == 1_000
        taken = await read(await bid(buying, auction, 1_000))
        assert taken["own"] == {"standing": "leading", "max_minor": 1_000, "hold": None}
        assert taken["auction"]["leader_name"] == "안나"
        assert code(await bid(buying, auction, 5_000)) == (409, "already_leading")
        assert code(await bid(selling, auction, 5_000)) == (403, "forbidden")
        cancel = await selling.post(f"/auctions/{auction['id']}/cancel")
        assert code(cancel) == (409, "conflict")
        own = (await read(await buying.get(f"/auctions/{auction['id']}")))["own"]
        assert own == taken["own"]
    async with server.client() as passing:
        assert code(await bid(passing, auction, 5_000)) == (401, "sign_in")
        assert (await read(await passing.get(f"/auctions/{auction['id']}")))["own"] is None


async def test_the_banned_do_not_bid_and_nobody_passes_for_the_seller(server: Server) -> None:
    shop = await open_shop(server, stock=1)
    troll, twin = await sign_up(server, "봄이"), await sign_up(server, "꽃집")
    async with (
        server.client(shop.seller.token) as selling,
        server.client(troll.token) as trolling,
        server.client(twin.token) as twinning,
    ):
        auction = await read(await start(selling, shop.show, shop.product))
        said = {"account": troll.id, "kind": "ban", "seconds": 60}
        path = f"/shows/{shop.show}/moderation/sanction"
        key = {"Idempotency-Key": "ban"}
        assert (await selling.post(path, json=said, headers=key)).is_success
        assert code(await bid(trolling, auction, 5_000)) == (403, "forbidden")
        taken = await read(await bid(twinning, auction, 1_000))
        assert taken["auction"]["leader_name"].startswith("Guest ")


async def test_who_comes_later_is_told_how_the_auction_stands(server: Server) -> None:
    shop = await open_shop(server, stock=1)
    anna = await sign_up(server, "안나")
    async with server.client(shop.seller.token) as selling, server.client(anna.token) as buying:
        auction = await read(await start(selling, shop.show, shop.product))
        await read(await bid(buying, auction, 1_000))
        async with visit(server, shop.show) as newcomer:
            await newcomer.room.sync()
            welcome = await newcomer.hears(lambda event: event["type"] == "welcome")
            (offer, _) = welcome["offers"]
            assert (offer["type"], offer["auction"]["id"]) == ("auction", auction["id"])
            assert offer["auction"]["leader_name"] == "안나"
            assert offer["auction"]["ends_at_ms"] > welcome["now_ms"]
