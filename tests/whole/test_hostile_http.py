"""Whatever is thrown at the HTTP door, the answer is clear and a show in progress goes on.

Requests go through real sockets as the bytes they are, so that no client library tidies them up.
After each the show must go on: a newcomer enters, speaks, holds a unit, and the room hears of both.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import msgspec
import pytest
import pytest_asyncio

from live.server.adapters.http1 import HEAD_BYTES
from tests.whole.hostility import BODIES, HEADERS, PATHS, Attempt, spoilt
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import (
    PRICE_MINOR,
    Person,
    Shop,
    Visitor,
    hold,
    open_shop,
    read,
    read_hold,
    sign_up,
    visit,
)

PROBLEM: Final = "application/problem+json"
BUYERS: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for raw bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Show:
    """A show in progress: somebody watches, others come and go."""

    server: Server
    shop: Shop
    watcher: Visitor
    stranger: Person
    buyers: list[Person]
    turns: "cycle[Person]" = field(init=False)

    def __post_init__(self) -> None:
        # Sellers may talk more than others before they are asked to slow down
        self.turns = cycle([who for buyer in self.buyers for who in (buyer, self.shop.seller)])

    async def expect_to_go_on(self) -> None:
        """A newcomer is heard and gets a unit; the server has had no fault of its own."""
        speaker = next(self.turns)
        text = f"아직 있어요? {secrets.token_hex(4)}"
        async with visit(self.server, self.shop.show, speaker.token) as visitor:
            await visitor.room.say(text)
            await self.watcher.hears(lambda event: event.get("text") == text)
        async with self.server.client(speaker.token) as client:
            held = await read_hold(await hold(client, self.shop.product))
            await self.watcher.hears(lambda event: event["type"] == "stock" and event["held"] > 0)
            assert (await client.delete(f"/holds/{held['id']}")).is_success
        faults = [line for line in self.server.lines if line["event"] == "request failed"]
        assert faults == []


@pytest_asyncio.fixture(scope="module")
async def show(server: Server) -> AsyncIterator[Show]:
    """A show with a watcher in its room."""
    shop = await open_shop(server)
    stranger = await sign_up(server, "낯선 사람")
    buyers = [await sign_up(server) for _ in range(BUYERS)]
    async with visit(server, shop.show) as watcher:
        yield Show(server, shop, watcher, stranger, buyers)


@asynccontextmanager
async def connected(
    server: Server,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(PATIENCE_S):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(lines[0].split()[1]), headers, body)


async def throw(server: Server, attempt: Attempt, token: str) -> Answer:
    """Send the attempt's bytes; the answer may come before all of them are sent."""
    headers = {"Host": f"127.0.0.1:{server.port}", "Content-Length": str(len(attempt.content))}
    if attempt.signed_in:
        headers["Authorization"] = f"Bearer {token}"
    lines = [f"{name}: {value}" for name, value in (headers | dict(attempt.headers)).items()]
    head = "\r\n".join([f"{attempt.method} {attempt.path} HTTP/1.1", *lines, "", ""])
    async with connected(server) as (reader, writer):
        writer.write(head.encode("latin-1") + attempt.content)
        return await answer(reader)


def expect_clear(attempt: Attempt, got: Answer) -> None:
    assert got.status in attempt.expected, f"{attempt.name}: {got.status} {got.body[:200]!r}"
    if got.status < 400 or not got.headers.get("content-type", "").startswith(PROBLEM):
        # Pages, files and the sandbox's page answer people, not programs
        assert got.status in (200, 404), f"{attempt.name}: {got.status} {got.body[:200]!r}"
        return
    problem = msgspec.json.decode(got.body)
    assert problem["status"] == got.status
    assert problem["type"] == f"urn:kkot:problem:{problem['code']}"
    assert b"Traceback" not in got.body


@pytest.mark.parametrize("attempt", [*BODIES, *PATHS, *HEADERS], ids=lambda attempt: attempt.name)
async def test_a_hostile_request_is_answered_and_the_show_goes_on(
    show: Show, attempt: Attempt
) -> None:
    got = await throw(show.server, attempt.for_shop(show.shop), show.stranger.token)
    expect_clear(attempt, got)
    await show.expect_to_go_on()


async def test_headers_that_spoil_a_sound_request(show: Show) -> None:
    for attempt in spoilt(show.shop, show.stranger):
        got = await throw(show.server, attempt.for_shop(show.shop), show.stranger.token)
        expect_clear(attempt, got)
    await show.expect_to_go_on()


async def test_the_request_they_spoil_is_sound(show: Show) -> None:
    """The control: without the fault the same bytes hold a unit."""
    sound = Attempt(
        *("sound", "POST", "/holds", frozenset({201}), b'{"lines": [{"sku": "{product}"}]}'),
        {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)},
    )
    buyer = await sign_up(show.server)
    got = await throw(show.server, sound.for_shop(show.shop), buyer.token)
    assert got.status == 201, got
    async with show.server.client(buyer.token) as client:
        assert (
            await client.delete(f"/holds/{msgspec.json.decode(got.body)['holds'][0]['id']}")
        ).is_success
    await show.expect_to_go_on()


async def test_somebody_else_s_hold_and_order_are_not_there(show: Show) -> None:
    owner = show.buyers[0]
    async with show.server.client(owner.token) as client:
        held = await read_hold(await hold(client, show.shop.product))
        async with show.server.client(show.stranger.token) as thief:
            assert (await thief.delete(f"/holds/{held['id']}")).status_code == 404
            body = {
                "holds": [held["id"]],
                "recipient": {"name": "a", "phone": "010", "postcode": "03187", "address": "b"},
                "total_minor": PRICE_MINOR,
            }
            stolen = await thief.post("/orders", json=body, headers={"Idempotency-Key": "theft"})
            assert stolen.status_code in (403, 404)
            key = {"Idempotency-Key": "mine"}
            placed = await read(await client.post("/orders", json=body, headers=key))
            for method, path in (("GET", ""), ("POST", "/pay"), ("POST", "/confirm")):
                got = await thief.request(method, f"/orders/{placed['id']}{path}")
                assert got.status_code in (403, 404), (method, path, got.text)
            assert (await thief.post(f"/orders/{placed['id']}/cancel")).status_code in (403, 404)
        await read(await client.post(f"/orders/{placed['id']}/cancel"))
    await show.expect_to_go_on()


async def test_a_replayed_key_holds_once_and_never_something_else(show: Show) -> None:
    buyer = await sign_up(show.server)
    async with show.server.client(buyer.token) as client:
        answers = await asyncio.gather(
            *(hold(client, show.shop.product, "again") for _ in range(20))
        )
        held = {(await read_hold(each))["id"] for each in answers}
        assert len(held) == 1
        other = await hold(client, show.shop.product, "again", quantity=2)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
        assert len((await read(await client.get("/holds")))["holds"]) == 1
        assert (await client.delete(f"/holds/{held.pop()}")).is_success
    await show.expect_to_go_on()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\x00/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
        b"POST /holds HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /holds HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /holds HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /holds HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"\r\nffffffffffffffffff\r\n",
    ],
    ids=["TLS", "version", "NUL", "header", "negative", "two lengths", "smuggling", "chunk"],
)
async def test_bytes_that_are_no_http(show: Show, raw: bytes) -> None:
    async with connected(show.server) as (reader, writer):
        writer.write(raw)
        async with asyncio.timeout(PATIENCE_S):
            got = await reader.read()
    assert got == b"" or got.startswith(b"HTTP/1.1 4"), got
    await show.expect_to_go_on()


async def test_a_flood_of_headers(show: Show) -> None:
    """It is refused, or cut off, long before the server has kept it all."""
    flood = b"X-Flood: " + b"a" * 8_000 + b"\r\n"
    refused = False
    async with connected(show.server) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        try:
            for _ in range(2_000):
                writer.write(flood)
                await writer.drain()
            writer.write(b"\r\n")
            refused = (await answer(reader)).status == 431
        except (ConnectionError, asyncio.IncompleteReadError):
            refused = True
    assert refused
    await show.expect_to_go_on()


async def test_an_endless_header_is_told_its_limit(show: Show) -> None:
    async with connected(show.server) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Endless: " + b"a" * (HEAD_BYTES + 1))
        got = await answer(reader)
    assert (got.status, msgspec.json.decode(got.body)["code"]) == (431, "head_too_large")
    await show.expect_to_go_on()


async def test_requests_that_never_end(show: Show) -> None:
    """A hundred people who begin and do not go on keep nobody else waiting."""
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()
        for index in range(100):
            group.create_task(_dawdle(show.server, index, done))
        await show.expect_to_go_on()
        done.set()
    await show.expect_to_go_on()


async def _dawdle(server: Server, index: int, done: asyncio.Event) -> None:
    begun = (
        b"GET / HT",
        b"POST /holds HTTP/1.1\r\nHost: a\r\nContent-Le",
        b"POST /accounts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 500\r\n\r\n{",
    )
    async with connected(server) as (_, writer):
        writer.write(begun[index % len(begun)])
        await writer.drain()
        await done.wait()
