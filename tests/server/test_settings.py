"""Settings out of an environment: trusted proxies, and whose word about an address counts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from live.server.app import Doors
from live.server.ground import Ground
from live.server.node import House, serve
from live.server.schema import make_engine, migrate
from live.server.settings import Settings, SettingsError, read_settings
from tests.server.test_node import settings as settings  # noqa: PLC0414 - a fixture
from tests.server.test_operations import Named


@pytest.mark.parametrize(
    ("text", "proxies"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("10.0.0.0/8, ::1", "10.0.0.0/8,::1"),
        ("", ""),
    ],
)
def test_proxies_are_addresses_and_networks(text: str, proxies: str) -> None:
    assert read_settings({"KKOT_TRUSTED_PROXIES": text}).trusted_proxies == proxies


@pytest.mark.parametrize("text", ["*", "caddy", "10.0.0.1/8", "10.0.0.1;10.0.0.2"])
def test_other_proxies_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="KKOT_TRUSTED_PROXIES"):
        read_settings({"KKOT_TRUSTED_PROXIES": text})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PUBLIC_IP", "203.0.113.10, 2001:DB8::10", "203.0.113.10,2001:db8::10"),
        ("PUBLIC_IP", "", ""),
        ("STUN_URL", "stun:a, stun:b:19302", "stun:a:3478,stun:b:19302"),
    ],
)
def test_addresses_are_read(name: str, text: str, value: str) -> None:
    assert getattr(read_settings({f"KKOT_{name}": text}), name.lower()) == value


def test_turn_servers_are_read() -> None:
    given = {"KKOT_TURN_URL": "turn:a, turns:b:443?transport=tcp", "KKOT_TURN_SECRET": "hush"}
    assert read_settings(given).turn_url == "turn:a:3478,turns:b:443?transport=tcp"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"PUBLIC_IP": "shop.example"}, "KKOT_PUBLIC_IP"),
        ({"PUBLIC_IP": ",".join(["192.0.2.1"] * 9)}, "at most 8"),
        ({"STUN_URL": "stun.example:3478"}, "KKOT_STUN_URL"),
        ({"STUN_URL": "turn:a"}, "KKOT_STUN_URL"),
        ({"TURN_URL": "stun:a", "TURN_SECRET": "hush"}, "KKOT_TURN_URL"),
        ({"TURN_URL": "turn:a"}, "both or neither"),
        ({"PUBLIC_IP": "192.0.2.1", "STUN_URL": "stun:a"}, "set one"),
    ],
)
def test_wrong_addresses_are_told(given: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        read_settings({f"KKOT_{name}": text for name, text in given.items()})


@asynccontextmanager
async def mirror(_ground: Ground) -> AsyncIterator[House]:
    """A house that tells a client its address."""

    async def address(request: Request) -> Response:
        return PlainTextResponse(request.client.host if request.client else "")

    yield House(doors=[Doors(routes=[Route("/address", address)])], identity=Named())


@pytest.mark.parametrize(
    ("proxies", "seen"), [("127.0.0.1", "203.0.113.7"), ("192.0.2.1", "127.0.0.1")]
)
async def test_only_a_trusted_proxy_tells_the_address(
    settings: Settings, proxies: str, seen: str
) -> None:
    engine = make_engine(settings.database_url)
    await migrate(engine)
    await engine.dispose()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    behind = replace(settings, trusted_proxies=proxies)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(serve(behind, mirror, announce=ready.set_result))
        async with httpx.AsyncClient(base_url=await ready) as client:
            answer = await client.get("/address", headers={"x-forwarded-for": "203.0.113.7"})
        os.kill(os.getpid(), signal.SIGTERM)
    assert answer.text == seen


def test_a_file_of_banned_words_is_text_that_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("나쁜말*\n", encoding="utf-8")
    assert read_settings({"KKOT_BANNED_WORDS": str(file)}).banned_words == str(file)
    file.write_bytes(b"\xff\xfe\x00")
    for wrong in (file, tmp_path / "missing.txt", tmp_path):
        with pytest.raises(SettingsError, match="KKOT_BANNED_WORDS"):
            read_settings({"KKOT_BANNED_WORDS": str(wrong)})


def test_a_stripe_key_comes_with_what_signs_its_messages() -> None:
    with pytest.raises(SettingsError, match="KKOT_STRIPE_WEBHOOK_SECRET"):
        read_settings({"KKOT_STRIPE_SECRET_KEY": "sk_test_1"})


def test_payment_keys_stay_out_of_sight() -> None:
    given = {
        "KKOT_TOSS_SECRET_KEY": "hush-1",
        "KKOT_STRIPE_SECRET_KEY": "hush-2",
        "KKOT_STRIPE_WEBHOOK_SECRET": "hush-3",
    }
    assert "hush" not in repr(read_settings(given))
