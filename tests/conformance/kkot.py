"""Kkot itself as the server under test: two nodes with HTTPS, a TURN server told, two shows.

Here alone the suite knows Kkot.
"""

import asyncio
import os
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx

from live.server.settings import Settings
from live.server.stores import open_stores
from tests.conformance.target import Target

KKOT: Final = (sys.executable, "-m", "live.server.cli")
ROOT: Final = Path(__file__).parent.parent.parent
READY: Final = b"Kkot is ready: "
START_WITHIN_S: Final = 60
STOP_WITHIN_S: Final = 30
FLOOD: Final = 400
JOINS_PER_ADDRESS: Final = 10
STRANGER: Final = "198.51.100.77"
"""Whom the proxy of the flood tests names, so that they shut out nobody else."""

NOT_SHOWN: Final = {
    "a_missing_token_is_refused": "everybody may watch",
    "a_wrong_token_is_refused": "everybody may watch",
    "a_401_is_a_challenge": "everybody may watch",
    "the_scheme_has_no_case": "everybody may watch",
    "a_counter_offer_is_whole": "the client's offer is always answered",
    "an_answered_counter_offer_has_no_content": "the client's offer is always answered",
    "a_malformed_answer_is_refused": "the client's offer is always answered",
    "an_overload_says_when_to_retry": "tests/signaling/adapters/test_routes.py brings it about",
    "load_is_balanced_by_307": "publishers are taken by every node",
    "half_a_patch_is_unprocessable": "trickle and restart are both taken",
}


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Target]:
    """Two nodes on stores of their own, and what the suite must know of them."""
    async with AsyncExitStack() as closing:
        stores = await closing.enter_async_context(
            open_stores(Settings(data_dir=folder / "stores"))
        )
        shared = {
            **{name: text for name, text in os.environ.items() if not name.startswith("KKOT_")},
            "KKOT_DATABASE_URL": stores.database_url,
            "KKOT_REDIS_URL": stores.redis_url,
            "KKOT_SECRET": secrets.token_urlsafe(24),
            "KKOT_HTTP_HOST": "127.0.0.1",
            "KKOT_MEDIA_TCP_PORT": "0",
            "KKOT_TURN_URL": "turn:turn.example.com:3478",
            "KKOT_TURN_SECRET": secrets.token_urlsafe(24),
            "KKOT_JOINS_PER_ADDRESS": str(JOINS_PER_ADDRESS),
        }
        await _migrate(shared)
        url, elsewhere = await asyncio.gather(
            *(closing.enter_async_context(_node(folder / name, shared)) for name in ("a", "b"))
        )
        authorities = folder / "authorities.crt"
        authorities.write_text(
            "".join((folder / name / "tls" / "ca.crt").read_text() for name in ("a", "b"))
        )
        target = await _open_shop(url, str(authorities))
        yield replace(target, whep_redirect_url=target.whep_url.replace(url, elsewhere))


async def _migrate(environment: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*KKOT, "migrate"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(START_WITHIN_S):
        assert await process.wait() == 0, "the schema was not brought up to date"


@asynccontextmanager
async def _node(data_dir: Path, shared: Mapping[str, str]) -> AsyncIterator[str]:
    """The URL of a node of its own."""
    environment = {
        **shared,
        "KKOT_DATA_DIR": str(data_dir),
        "KKOT_HTTP_PORT": str(_free_port(socket.SOCK_STREAM)),
        "KKOT_MEDIA_PORT": str(_free_port(socket.SOCK_DGRAM)),
    }
    log = data_dir.with_suffix(".log")
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*KKOT, "serve", "--tls"),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield await _ready(process, log)
        assert process.returncode is None, f"the server died:\n{log.read_text()[-4000:]}"
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_WITHIN_S):
        async for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).decode().strip()
    raise AssertionError(f"the server did not come up:\n{log.read_text()[-4000:]}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


async def _open_shop(url: str, ca: str) -> Target:
    trust = ssl.create_default_context(cafile=ca)
    async with httpx.AsyncClient(base_url=url, verify=trust, timeout=30) as http:
        account = {
            "email": f"seller-{secrets.token_hex(4)}@kkot.example",
            "password": secrets.token_urlsafe(16),
            "name": "Dal",
        }
        token = (await _post(http, "/accounts", account))["access_token"]
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {token}"
        await _post(http, "/stores", {"slug": "store", "name": "Store", "story": "Judged."})
        show, idle = [
            (await _post(http, "/shows", {"store": "store", "title": title}))["id"]
            for title in ("The show", "Not yet")
        ]
        key = (await _post(http, f"/shows/{show}/publish-key"))["key"]
    return Target(
        url=f"{url}/whip/{show}",
        token=key,
        whep_url=f"{url}/whep/{show}",
        off_air_url=f"{url}/whep/{idle}",
        ca=ca,
        flood=FLOOD,
        flood_headers={"X-Forwarded-For": STRANGER},
        strict=True,
        not_shown=NOT_SHOWN,
    )


async def _post(http: httpx.AsyncClient, path: str, body: Any = None) -> dict[str, Any]:
    answer = await http.post(path, json=body) if body else await http.post(path)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
