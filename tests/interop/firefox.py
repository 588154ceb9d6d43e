"""Firefox, driven by WebDriver BiDi over its own websocket (https://w3c.github.io/webdriver-bidi/).

A headless process of its own with a fresh profile: a fake camera, media over loopback, and no
business of its own on the network. Whatever it would fetch from outside goes to `Gate`, a proxy
that lets nobody through and counts who came.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.picture import KEEP_PEERS

NAMES: Final = ("firefox-esr", "firefox")
START_WITHIN_S: Final = 40
STOP_WITHIN_S: Final = 10
COMMAND_WITHIN_S: Final = 30
LISTENING: Final = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")

MEDIA: Final[Mapping[str, object]] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.getusermedia.insecure.enabled": True,
}
"""A camera without asking, and host candidates as they are, loopback among them."""

QUIET: Final[Mapping[str, object]] = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "geo.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "network.trr.mode": 5,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "signon.autofillForms": False,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
}
"""No updates, telemetry, lists, plugins or probes."""

ENVIRONMENT: Final = {"MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"}
"""Without it a release takes no other address for its lists than its maker's."""


class Gate:
    """The proxy for everything that is not on this machine: it notes who wanted out, and closes."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen on a free port of the loopback, and tell which."""
        self._server = await asyncio.start_server(self._refuse, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.wanted.append((await reader.readline()).decode(errors="replace").strip())
        writer.close()


@dataclass(slots=True)
class Firefox:
    """A running Firefox with an open BiDi session."""

    socket: ClientConnection
    complaints: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def command(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command and give its result. Raises AssertionError when Firefox refuses it."""
        number = next(self._numbers)
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(COMMAND_WITHIN_S):
            answer = await answered
        assert answer["type"] == "success", f"{method}: {answer.get('message')}"
        result: dict[str, Any] = answer["result"]
        return result

    async def begin(self) -> None:
        """Open the session, hear what pages log, and note down their peer connections."""
        await self.command("session.new", capabilities={})
        await self.command("session.subscribe", events=["log.entryAdded"])
        script = f"() => {{ {KEEP_PEERS} }}"
        await self.command("script.addPreloadScript", functionDeclaration=script)

    async def open(self, url: str) -> "Tab":
        """Open a page in a tab and profile of its own, as somebody new."""
        container = (await self.command("browser.createUserContext"))["userContext"]
        created = await self.command("browsingContext.create", type="tab", userContext=container)
        tab = Tab(self, created["context"])
        await self.command(
            "browsingContext.navigate", context=tab.context, url=url, wait="complete"
        )
        return tab

    async def listen(self) -> None:
        """Hand answers to who waits for them, and note what pages complain of, until the end."""
        async for text in self.socket:
            message = json.loads(text)
            if message["type"] != "event":
                self._waiting.pop(message["id"]).set_result(message)
            elif message["params"].get("type") == "javascript":
                self.complaints.append(message["params"]["text"])


@dataclass(frozen=True, slots=True)
class Tab:
    """One page; its functions are called as Playwright's are."""

    firefox: Firefox
    context: str

    async def evaluate(self, expression: str, arg: object = None) -> Any:
        """Call a JavaScript function with one argument and wait for what it gives, as JSON."""
        told = await self.firefox.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})({json.dumps(arg)})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert told["type"] == "success", told.get("exceptionDetails", {}).get("text")
        text = told["result"].get("value")
        return None if text is None else json.loads(text)

    async def close(self) -> None:
        """Close the page, as its owner would."""
        await self.firefox.command("browsingContext.close", context=self.context)


@asynccontextmanager
async def running(profile: Path) -> AsyncIterator[Firefox]:
    """Firefox with an empty profile in `profile`; its pages must not have complained, nor Firefox
    have wanted out, when it ends."""
    gate = Gate()
    _write_preferences(profile, await gate.open())
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path is not None, "no Firefox: deploy/install-test-tools brings one"
    process = await asyncio.create_subprocess_exec(
        *(path, "--headless", "--no-remote", "--profile", str(profile)),
        *("--remote-debugging-port", "0"),
        env={**os.environ, **ENVIRONMENT},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    tasks: list[asyncio.Task[None]] = []
    try:
        url = await _listening(process)
        tasks.append(asyncio.create_task(_drain(process)))
        async with connect(f"{url}/session", max_size=None) as socket:
            firefox = Firefox(socket)
            tasks.append(asyncio.create_task(firefox.listen()))
            await firefox.begin()
            yield firefox
            await firefox.command("browser.close")
        await _ended(process)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if process.returncode is None:
            process.kill()
            await process.wait()
        await gate.close()
    assert firefox.complaints == []
    assert gate.wanted == []


def _write_preferences(profile: Path, gate: int) -> None:
    out: dict[str, object] = {"network.proxy.type": 1, "network.proxy.no_proxies_on": "127.0.0.1"}
    for scheme in ("http", "ssl"):
        out |= {f"network.proxy.{scheme}": "127.0.0.1", f"network.proxy.{scheme}_port": gate}
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in {**MEDIA, **QUIET, **out}.items()
    )
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text("\n".join(lines))


async def _listening(process: Process) -> str:
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(START_WITHIN_S):
        async for line in process.stderr:
            said += line
            if match := LISTENING.search(line):
                return match[1].decode()
    raise AssertionError(f"Firefox did not start: {said.decode(errors='replace')[-2000:]}")


async def _drain(process: Process) -> None:
    assert process.stderr is not None
    async for _ in process.stderr:
        pass


async def _ended(process: Process) -> None:
    async with asyncio.timeout(STOP_WITHIN_S):
        await process.wait()
