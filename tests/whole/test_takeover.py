"""Two programs set up with the same publish key: the newer wins, the older is told and gives up."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from live.demo.host import RefusedError, publish_demo
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import Json, open_shop, read, visit


async def media(client: httpx.AsyncClient, show: str, wanted: Callable[[Json], Any]) -> Json:
    """The show's media once they are as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = await read(await client.get(f"/shows/{show}/media"))
            if told["publisher"] is not None and wanted(told["publisher"]):
                return told


async def test_the_newer_of_two_with_one_key_wins_and_keeps(server: Server) -> None:
    shop = await open_shop(server)
    async with (
        server.client(shop.seller.token) as client,
        visit(server, shop.show, shop.seller.token) as seller,
        visit(server, shop.show) as viewer,
    ):
        made = await read(await client.post(f"/shows/{shop.show}/publish-key"))
        publish = publish_demo, (server.url, shop.show, made["key"])
        older = asyncio.create_task(publish[0](*publish[1]))
        before = await media(client, shop.show, lambda one: one["layers"][0]["packets"] > 0)
        newer = asyncio.create_task(publish[0](*publish[1]))
        with pytest.raises(RefusedError, match="taken_over"):
            async with asyncio.timeout(PATIENCE_S):
                await older
        told = await seller.hears(lambda event: event["type"] == "taken_over")
        assert told["session"]
        after = await media(client, shop.show, lambda one: one["id"] != before["publisher"]["id"])
        packets = after["publisher"]["layers"][0]["packets"]
        await media(client, shop.show, lambda one: one["layers"][0]["packets"] > packets)
        assert not newer.done()
        newer.cancel()
        await asyncio.wait([newer])
        heard = await viewer.hears(lambda event: event["type"] in ("taken_over", "on_air"))
        assert heard["type"] == "on_air"
