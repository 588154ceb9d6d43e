"""The browser of the session, and visitors: each a context of its own, on a phone's screen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.picture import KEEP_PEERS

WITHIN_MS: Final = 20_000
"""A busy machine is slow; a page that is wrong stays wrong."""
PHONE_WIDTH: Final = 390
PHONE_HEIGHT: Final = 844

Visit = Callable[[str, str], Awaitable[Page]]


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, with a fake camera."""
    expect.set_options(timeout=WITHIN_MS)
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Open a URL as somebody new who speaks a language: cookies, storage and all are their own."""
    contexts = []
    complaints: list[str] = []

    async def visit(url: str, language: str) -> Page:
        context = await browser.new_context(
            viewport={"width": PHONE_WIDTH, "height": PHONE_HEIGHT},
            locale=language,
            permissions=["camera", "microphone"],
            reduced_motion="reduce",  # a sheet that still rises is not where a thumb finds it
        )
        contexts.append(context)
        await context.add_init_script(KEEP_PEERS)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(url)
        return page

    yield visit
    for context in contexts:
        await context.close()
    assert complaints == []
