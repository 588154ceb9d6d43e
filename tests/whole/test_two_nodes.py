"""Two nodes that share the stores tell the same of a show, whichever has its publisher."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from live.demo.host import publish_demo
from tests.e2e.server import sharing
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import open_shop, read, visit
from tests.whole.test_takeover import media


@pytest_asyncio.fixture
async def nodes(
    tmp_path: Path, migrated_url: str, redis_url: str
) -> AsyncIterator[tuple[Server, Server]]:
    """Two nodes that are one service."""
    shared = sharing(migrated_url, redis_url)
    here, there = Server(tmp_path / "a", **shared), Server(tmp_path / "b", **shared)
    await asyncio.gather(here.start(), there.start())
    yield here, there
    await asyncio.gather(here.close(), there.close())


async def test_how_the_media_fare_is_told_by_any_node(nodes: tuple[Server, Server]) -> None:
    here, there = nodes
    shop = await open_shop(here)
    path = f"/shows/{shop.show}/media"
    async with (
        here.client(shop.seller.token) as at_home,
        there.client(shop.seller.token) as away,
        visit(there, shop.show, shop.seller.token) as console,
    ):
        empty = await read(await away.get(path))
        assert (empty["publisher"], empty["audience"]["viewers"]) == (None, 0)

        made = await read(await at_home.post(f"/shows/{shop.show}/publish-key"))
        host = asyncio.create_task(publish_demo(here.url, shop.show, made["key"]))
        told = await media(away, shop.show, lambda one: one["layers"][0]["packets"] > 0)
        own = await read(await at_home.get(path))
        assert told["publisher"]["id"] == own["publisher"]["id"]
        alone = await read(await away.get(path, params={"here": "true"}))
        assert alone["publisher"] is None
        for node, carries in ((at_home, True), (away, False)):
            graphs = (await node.get("/metrics")).text
            assert ('kkot_media_packets_total{way="in"} 0.0\n' in graphs) is not carries
            for transport in ("udp", "tcp"):
                labels = f'transport="{transport}",way="dropped"'
                assert f"kkot_media_datagrams_total{{{labels}}} " in graphs
        heard = await console.hears(lambda event: event["type"] == "media")
        assert heard["viewers"] == 0

        await here.kill()
        answer = await away.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        host.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([host])
        assert host.cancelled()
