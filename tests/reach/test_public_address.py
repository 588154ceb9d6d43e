"""A node learns its public address from a real STUN server, through a real translator."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from signaling.adapters import stun_lookup
from signaling.adapters.service import open_signaling
from signaling.core.ice_uri import IceUri
from signaling.endpoint import Endpoint
from tests.reach.coturn import HERE, Coturn, coturn
from tests.reach.nat import INSIDE, Address, nat
from tests.signaling.doubles import SHOW, OneShow, RecordingMedia
from tests.signaling.offers import STREAM, chromium

WITHIN_S: Final = 20
REFRESH_S: Final = 0.05
"""Between two lookups of these tests."""


@pytest_asyncio.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Coturn]:
    """A STUN server that every test of this module may ask."""
    async with coturn(tmp_path_factory.mktemp("coturn")) as server:
        yield server


@asynccontextmanager
async def asking(*servers: Address) -> AsyncIterator[Endpoint]:
    """A node's media port that asks these servers."""
    uris = [IceUri("stun", host, port) for host, port in servers]
    async with open_signaling(
        RecordingMedia(STREAM), OneShow(), udp_port=0, tcp_port=0, stun_servers=uris
    ) as endpoint:
        yield endpoint


def reflexive(endpoint: Endpoint) -> list[str]:
    """The server-reflexive candidates of an answer given now."""
    answer = endpoint.watch(SHOW, chromium("watch")).sdp
    lines = [line for line in answer.split("\r\n") if " typ srflx " in line]
    endpoint.sweep(time.monotonic())
    return lines


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not happened():
            await asyncio.sleep(0)


def offers(endpoint: Endpoint, address: Address) -> bool:
    return any(f" {address[0]} {address[1]} typ srflx " in line for line in reflexive(endpoint))


async def test_the_public_address_is_offered_beside_our_own(server: Coturn) -> None:
    with nat((HERE, server.port)) as router:
        async with asking(router.server) as endpoint:
            await until(lambda: offers(endpoint, router.outside))
            (line,) = reflexive(endpoint)
            assert f" typ srflx raddr {INSIDE} rport " in line


async def test_a_change_of_address_is_followed(
    server: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun_lookup, "REFRESH_S", REFRESH_S)
    with nat((HERE, server.port)) as router:
        async with asking(router.server) as endpoint:
            await until(lambda: offers(endpoint, router.outside))
            router.move()
            await until(lambda: offers(endpoint, router.outside))
            assert len(reflexive(endpoint)) == 1


async def test_what_was_seen_last_outlives_a_silent_server(
    server: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun_lookup, "REFRESH_S", REFRESH_S)
    with nat((HERE, server.port)) as router:
        async with asking(router.server) as endpoint:
            await until(lambda: offers(endpoint, router.outside))
            router.deaf = True
            seen = router.questions
            await until(lambda: router.questions > seen + 1)
            assert offers(endpoint, router.outside)


async def test_servers_may_have_names(server: Coturn) -> None:
    with nat((HERE, server.port)) as router:
        async with asking(("localhost", router.server[1])) as endpoint:
            await until(lambda: offers(endpoint, router.outside))
            assert router.questions


async def test_one_of_several_servers_is_enough(server: Coturn) -> None:
    with nat((HERE, server.port)) as dead, nat((HERE, server.port)) as router:
        dead.deaf = True
        async with asking(dead.server, router.server) as endpoint:
            await until(lambda: offers(endpoint, router.outside))
            assert not offers(endpoint, dead.outside)


async def test_silence_delays_nothing_and_leaves_the_machines_own_addresses() -> None:
    with nat((HERE, 9)) as nowhere:
        async with asking(nowhere.server) as endpoint:
            assert f" {INSIDE} " in endpoint.watch(SHOW, chromium("watch")).sdp
            assert reflexive(endpoint) == []
            await until(lambda: nowhere.questions >= 2)


async def test_without_a_translator_nothing_is_told_twice(server: Coturn) -> None:
    async with asking((HERE, server.port)) as endpoint:
        (lookups,) = _lookups(endpoint)
        await until(lambda: bool(lookups.seen()))
        (seen,) = lookups.seen()
        assert (seen.host, seen.base_host, seen.port) == (HERE, HERE, seen.base_port)
        assert reflexive(endpoint) == []


async def test_over_ipv6(tmp_path: Path) -> None:
    async with coturn(tmp_path / "six", host="::1") as six, asking(("::1", six.port)) as endpoint:
        (lookups,) = _lookups(endpoint)
        await until(lambda: bool(lookups.seen()))
        (seen,) = lookups.seen()
        assert (seen.host, seen.base_host, seen.port) == ("::1", "::1", seen.base_port)


def _lookups(endpoint: Endpoint) -> list[stun_lookup.StunLookups]:
    """Who hears the STUN responses of a media port."""
    owner = getattr(endpoint._answered, "__self__", None)
    return [owner] if isinstance(owner, stun_lookup.StunLookups) else []
