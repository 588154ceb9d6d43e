"""Another node's answer is taken as it is; what is none costs a bounded wait and bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import msgspec
import pytest

from live.relay.adapters.neighbours import ANSWER_BYTES, Neighbours
from live.relay.adapters.routes import Media
from live.relay.crowd import NOBODY
from live.relay.errors import NodeSilentError

EMPTY = Media(show="s1", publisher=None, audience=NOBODY, viewers=())
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def whole(status: str, body: bytes) -> Answer:
    """An answer like any server's."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)))
        writer.write(body)

    return answer


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """JSON that never ends."""
    writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"\r\n')
    while True:
        writer.write(b"4000\r\n" + b"a" * 0x4000 + b"\r\n")
        await writer.drain()


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accepts, and says nothing until the other side goes."""
    await reader.read()


async def cut_short(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Goes in the middle."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


@asynccontextmanager
async def node(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers so, and the requests it got."""
    asked: list[bytes] = []
    served = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        with suppress(ConnectionError):
            await answer(reader, writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        served.release()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
        for _ in asked:
            await served.acquire()


async def ask(url: str, patience_s: float = 10.0) -> Media:
    """What it tells of a show."""
    async with httpx.AsyncClient(trust_env=False) as http:
        neighbours = Neighbours(http, lambda person: f"token-of-{person}", patience_s)
        return await neighbours.media(url, "mina", "s1")


async def test_asks_for_what_is_there_in_the_name_of_the_person() -> None:
    async with node(whole("200 OK", msgspec.json.encode(EMPTY))) as (url, asked):
        assert await ask(url) == EMPTY
    (request,) = asked
    assert request.startswith(b"GET /shows/s1/media?here=true HTTP/1.1\r\n")
    assert b"authorization: bearer token-of-mina\r\n" in request.lower()


@pytest.mark.parametrize(
    "answer",
    [
        whole("200 OK", b""),
        whole("200 OK", b"<html>"),
        whole("200 OK", b'{"show": 1}'),
        whole("200 OK", b"[" * 100_000),
        whole("200 OK", b" " * ANSWER_BYTES + msgspec.json.encode(EMPTY)),
        whole("200 OK", b"\xff\xfe"),
        whole("307 Moved\r\nLocation: http://127.0.0.1:1/", b""),
        whole("401 No", msgspec.json.encode(EMPTY)),
        whole("500 Oh", b"{}"),
        cut_short,
    ],
)
async def test_what_is_no_answer_of_a_node_is_a_silent_one(answer: Answer) -> None:
    async with node(answer) as (url, _):
        with pytest.raises(NodeSilentError):
            await ask(url)


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async with node(endless) as (url, _):
        with pytest.raises(NodeSilentError):
            await ask(url)


async def test_a_node_that_says_nothing_is_given_up() -> None:
    async with node(silent) as (url, asked):
        with pytest.raises(NodeSilentError):
            await ask(url, patience_s=0.2)
        assert len(asked) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[nonsense", "ftp://127.0.0.1", ""])
async def test_a_node_that_is_not_there(url: str) -> None:
    with pytest.raises(NodeSilentError):
        await ask(url)
