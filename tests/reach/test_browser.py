"""Chromium reaches the show by every way there is, the shop's own player doing the talking."""

import re

import pytest
from playwright.async_api import Browser

from tests.bench.server import make_show
from tests.reach.conftest import House
from tests.reach.coturn import Coturn
from tests.reach.page import Limits, Way, publishing, watching


async def arrive(browser: Browser, house: House, limits: Limits) -> Way:
    async with watching(browser, house.server.url, house.show, limits) as viewer:
        return await viewer.arrives()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_through_turn(browser: Browser, house: House, turn: Coturn, transport: str) -> None:
    limits = Limits(policy="relay", servers=f"transport={transport}$", candidates=" udp .* 127")
    way = await arrive(browser, house, limits)
    assert (way.local_type, way.relay_protocol) == ("relay", transport)
    assert way.local_address == turn.host
    assert (way.remote_address, str(way.remote_port)) == ("127.0.0.1", house.server.media_port)


async def test_over_tcp_alone(browser: Browser, house: House) -> None:
    way = await arrive(browser, house, Limits(candidates=" tcp "))
    assert (way.protocol, way.remote_port) == ("tcp", house.tcp_port)


async def test_over_ipv6_alone(browser: Browser, house: House) -> None:
    way = await arrive(browser, house, Limits(candidates=r" udp \d+ ::1 "))
    assert (way.protocol, way.remote_address) == ("udp", "::1")


async def test_publishing_over_tcp_alone(browser: Browser, house: House) -> None:
    show, key = await make_show(house.http)
    limits = Limits(candidates=" tcp ")
    async with publishing(browser, house.server.url, show, key, limits) as publisher:
        way = await publisher.arrives()
        assert (way.protocol, way.remote_port) == ("tcp", house.tcp_port)
        over_udp = Limits(candidates=r" udp \d+ 127")
        async with watching(browser, house.server.url, show, over_udp) as viewer:
            assert (await viewer.arrives()).protocol == "udp"


async def test_where_no_way_leads_no_picture_comes(browser: Browser, house: House) -> None:
    """The control: the limits do hold a page back."""
    async with watching(browser, house.server.url, house.show, Limits(policy="relay")) as viewer:
        await viewer.fails()


async def test_the_answer_tells_the_turn_server_in_both_transports(
    browser: Browser, house: House, turn: Coturn
) -> None:
    async with watching(browser, house.server.url, house.show, Limits()) as viewer:
        await viewer.arrives()
        told = await viewer.told_servers()
    assert [one["urls"] for one in told] == [
        f"turn:{turn.host}:{turn.port}?transport={transport}" for transport in ("udp", "tcp")
    ]
    assert all(re.fullmatch(r"\d+:kkot", one["username"]) for one in told)
