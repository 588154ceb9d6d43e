"""A tab that can be hidden behind another one, as people hide it.

Playwright keeps every page it knows focused and visible. A page of the browser's own context is
none it knows; it is spoken to through the browser, by the Chrome DevTools Protocol.
"""

import asyncio
import json
from itertools import count
from typing import Any, Final

from playwright.async_api import Browser, CDPSession

from tests.e2e.picture import KEEP_PEERS

ANSWER_WITHIN_S: Final = 20


class Tab:
    """A page in a window of its own, visible until another tab covers it."""

    def __init__(self, browser: CDPSession, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session
        self._cover = ""
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        browser.on("Target.receivedMessageFromTarget", self._received)

    async def evaluate(self, expression: str) -> Any:
        """What an expression, or the promise it is, comes to in the page."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        told = await self.send("Runtime.evaluate", asked)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def hide(self) -> None:
        """Another tab of the same window comes to the front."""
        beside = {"url": "about:blank", "newWindow": False}
        self._cover = (await self._browser.send("Target.createTarget", beside))["targetId"]
        await self._browser.send("Target.activateTarget", {"targetId": self._cover})

    async def show(self) -> None:
        """The page is in front again."""
        await self._browser.send("Target.activateTarget", {"targetId": self._target})

    async def close(self) -> None:
        """Close the window."""
        for target in filter(None, (self._cover, self._target)):
            await self._browser.send("Target.closeTarget", {"targetId": target})

    async def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """A command to the page and its result."""
        number = next(self._ids)
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = json.dumps({"id": number, "method": method, "params": params})
        given = {"sessionId": self._session, "message": message}
        await self._browser.send("Target.sendMessageToTarget", given)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            told = await answered
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def _received(self, event: dict[str, Any]) -> None:
        told = json.loads(event["message"]) if event["sessionId"] == self._session else {}
        if answered := self._waiting.pop(told.get("id", 0), None):
            answered.set_result(told)


async def open_tab(browser: Browser, url: str) -> Tab:
    """Open a URL; the page's peer connections are noted down as `visit` notes them."""
    session = await browser.new_browser_cdp_session()
    target = (await session.send("Target.createTarget", {"url": "about:blank"}))["targetId"]
    attached = await session.send("Target.attachToTarget", {"targetId": target, "flatten": False})
    tab = Tab(session, target, attached["sessionId"])
    await tab.send("Page.enable", {})
    await tab.send("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_PEERS})
    await tab.send("Page.navigate", {"url": url})
    return tab
