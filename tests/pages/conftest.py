"""A browser, and pages whose server is the test itself.

The server is canned: what pages ask for is answered from a table, so these tests need no stores.
"""

import json
import shutil
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, Route, async_playwright
from starlette.applications import Starlette

from live.pages.routes import routes, shared_routes
from tests.pages.canned import ANSWERS, BASE

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page whose server is this process; anything it complains of fails the test."""
    app = Starlette(
        routes=[
            *routes(),
            *shared_routes(),
        ]
    )
    transport = httpx.ASGITransport(app)
    faults: list[str] = []
    english = {"Accept-Language": "en"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=english) as client:

        async def answer(route: Route, request: Request) -> None:
            path = request.url.removeprefix(BASE).split("?")[0]
            if request.headers.get("accept") == "application/json":
                known = path in ANSWERS
                body = json.dumps(ANSWERS.get(path, {"code": "not_found"}))
                kind = "application/json" if known else "application/problem+json"
                await route.fulfill(status=200 if known else 404, body=body, content_type=kind)
                return
            if path.startswith("/whep/"):
                await route.fulfill(status=409, headers={"Retry-After": "30"})
                return
            found = await client.get(request.url.removeprefix(BASE))
            await route.fulfill(
                status=found.status_code, headers=dict(found.headers), body=found.content
            )

        context = await browser.new_context(
            locale="en-GB",
            viewport={"width": 390, "height": 844},
            reduced_motion="reduce",  # a picture that breathes takes a core that draws in software
        )
        await context.route("**/*", answer)
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Policy" in said.text else None)
        yield page
        await context.close()
    assert faults == []
