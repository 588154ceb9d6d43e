"""One server for all foreign peers, one Firefox, and visitors in Chromium."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import httpx
import pytest
import pytest_asyncio

from tests.conftest import MakeFolder
from tests.e2e.conftest import Visit, browser, visit
from tests.e2e.server import Server, serving
from tests.interop import foreign
from tests.interop.firefox import Firefox, Tab, running
from tests.interop.media import audio_file, video_file
from tests.interop.show import Show, make_show

__all__ = ["Visit", "browser", "visit"]

SYSTEM_PYTHON: Final = "/usr/bin/python3"
"""The one whose packages bring GStreamer's bindings."""
INSTALL_WITHIN_S: Final = 60

Open = Callable[[str], Awaitable[Tab]]


@pytest_asyncio.fixture(scope="package")
async def server(migrated_dirs: MakeFolder) -> AsyncIterator[Server]:
    """A running node."""
    async with serving(migrated_dirs()) as server:
        yield server


@pytest_asyncio.fixture
async def show(server: Server) -> AsyncIterator[Show]:
    """A show of the test's own that can be published."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        yield await make_show(http)


@pytest_asyncio.fixture(scope="package")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    """The system's Firefox."""
    async with running(tmp_path_factory.mktemp("firefox") / "profile") as firefox:
        yield firefox


@pytest_asyncio.fixture
async def open_tab(firefox: Firefox) -> AsyncIterator[Open]:
    """Open a URL in Firefox as somebody new; tabs are closed when the test is over."""
    tabs = []

    async def open_tab(url: str) -> Tab:
        tabs.append(await firefox.open(url))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        await tab.close()


@pytest_asyncio.fixture(scope="package")
async def libdatachannel(tmp_path_factory: pytest.TempPathFactory) -> foreign.Peer:
    """libdatachannel in Node.js, as package-lock.json has it; it publishes a picture and a tone."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node, "no Node.js: deploy/install-test-tools brings one"
    assert npm, "no npm: deploy/install-test-tools brings one"
    await _install(npm)
    folder = tmp_path_factory.mktemp("media")
    video, audio = video_file(folder / "video"), audio_file(folder / "audio")
    command = (node, "libdatachannel.mjs")
    return partial(foreign.running, command, video=str(video), audio=str(audio))


@pytest.fixture(scope="package")
def gstreamer() -> foreign.Peer:
    """The system's GStreamer."""
    return partial(foreign.running, (SYSTEM_PYTHON, "gstreamer.py"))


async def _install(npm: str) -> None:
    lock = foreign.HERE / "package-lock.json"
    installed = foreign.HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    process = await asyncio.create_subprocess_exec(
        *(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
        cwd=foreign.HERE,
    )
    async with asyncio.timeout(INSTALL_WITHIN_S):
        assert await process.wait() == 0
