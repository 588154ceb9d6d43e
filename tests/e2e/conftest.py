"""The browser of the session, and visitors: each a context of its own, on a phone's screen."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.picture import KEEP_PEERS

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    *("--no-sandbox", "--no-first-run", "--disable-sync", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)
WITHIN_MS: Final = 20_000
"""A busy machine is slow; a page that is wrong stays wrong."""
PHONE_WIDTH: Final = 390
PHONE_HEIGHT: Final = 844

Visit = Callable[[str, str], Awaitable[Page]]


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, with a fake camera."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    expect.set_options(timeout=WITHIN_MS)
    assert path is not None, "no Chromium: deploy/install-test-tools brings one"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


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
