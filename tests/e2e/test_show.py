"""A show from end to end: go live, watch, chat, buy the last unit."""

import asyncio
from pathlib import Path

from tests.e2e.conftest import Visit
from tests.e2e.people import go_live, open_shop, sees
from tests.e2e.picture import BLACK, look_at_camera, look_at_show
from tests.e2e.server import serving


async def test_a_show(tmp_path: Path, visit: Visit) -> None:
    async with serving(tmp_path / "node") as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await open_shop(seller, "Peony", stock=1)
        await go_live(seller)
        mina, jun = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "en-US"))
        await asyncio.gather(sees(mina), sees(jun))
        camera, *seen = await asyncio.gather(
            look_at_camera(seller), look_at_show(mina), look_at_show(jun)
        )
        for look in seen:
            assert look.steady
            assert look.rate >= 0.75 * camera.rate
            assert look.brightness > BLACK + 16
            assert look.moving >= 8
