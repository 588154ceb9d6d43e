"""A browser's page that must reach the server by one way and no other."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, Route

from live.pages.statics import static_url

SCRIPT: Final = Path(__file__).with_suffix(".js")
BLANK: Final = "/healthz"
"""A page of the server's own origin with nothing on it."""
DOORS: Final = re.compile(r"/(whip|whep)/[^/]+$")
CANDIDATE: Final = re.compile(r"a=candidate:.*\r\n")
ALL: Final = ""
NONE: Final = "(?!)"
WITHIN_S: Final = 40
FEW: Final = 20
"""Pictures that show that more and more come."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page's connections may use: an ICE transport policy, ICE servers by a pattern of their
    URLs, and the server's candidates by a pattern of their lines."""

    policy: str = "all"
    servers: str = NONE
    candidates: str = ALL


@dataclass(frozen=True, slots=True)
class Way:
    """The selected candidate pair as `getStats` tells it."""

    local_type: str
    local_address: str
    relay_protocol: str
    protocol: str
    remote_address: str
    remote_port: int


class Visitor:
    """A page that watches or publishes."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def arrives(self) -> Way:
        """Wait for pictures, and for more after those; the way they took."""
        await self.sees(FEW)
        seen: int = await self.page.evaluate("pictures()")
        await self.sees(seen + FEW)
        told: dict[str, Any] = await self.page.evaluate("way()")
        return Way(**told)

    async def sees(self, pictures: int) -> None:
        """Wait until so many pictures were decoded, or sent, on the present connection."""
        async with asyncio.timeout(WITHIN_S):
            await self.page.evaluate("wanted => enough(wanted)", pictures)

    async def fails(self) -> None:
        """Wait until the page gives up a first connection; it never had a picture."""
        await self.page.wait_for_function("states.includes('reconnecting')")
        assert await self.page.evaluate("!states.includes('playing')")

    async def told_servers(self) -> list[dict[str, str]]:
        """The ICE servers that came with the answer, as the page understood them."""
        told: list[dict[str, str]] = await self.page.evaluate("told")
        return told


@asynccontextmanager
async def watching(browser: Browser, url: str, show: str, limits: Limits) -> AsyncIterator[Visitor]:
    """A viewer of the show, from the moment it asks for it."""
    async with _visitor(browser, url, limits) as visitor:
        what = {"module": static_url("js/whep.js"), "url": f"/whep/{show}"}
        await visitor.page.evaluate("what => watch(what)", what)
        yield visitor


@asynccontextmanager
async def publishing(
    browser: Browser, url: str, show: str, key: str, limits: Limits
) -> AsyncIterator[Visitor]:
    """A publisher of the show with a fake camera."""
    async with _visitor(browser, url, limits) as visitor:
        what = {"module": static_url("js/whip.js"), "url": f"/whip/{show}", "key": key}
        await visitor.page.evaluate("what => publish(what)", what)
        yield visitor


@asynccontextmanager
async def _visitor(browser: Browser, url: str, limits: Limits) -> AsyncIterator[Visitor]:
    context = await browser.new_context(bypass_csp=True, permissions=["camera", "microphone"])
    try:
        await context.add_init_script(path=SCRIPT)
        page = await context.new_page()
        page.set_default_timeout(WITHIN_S * 1000)
        await page.route(DOORS, _narrowing(limits.candidates))
        await page.goto(url + BLANK)
        asked = {"policy": limits.policy, "servers": limits.servers}
        await page.evaluate("limits => limit(limits)", asked)
        yield Visitor(page)
    finally:
        await context.close()


def _narrowing(pattern: str) -> Any:
    """Lets an answer through with those candidates that match, of which there must be some."""
    wanted = re.compile(pattern)

    async def answer(route: Route) -> None:
        if route.request.method != "POST":
            await route.fallback()
            return
        response = await route.fetch()
        body = await response.text()
        kept = CANDIDATE.sub(lambda line: line[0] if wanted.search(line[0]) else "", body)
        assert response.status != 201 or CANDIDATE.search(kept), body
        await route.fulfill(response=response, body=kept)

    return answer
