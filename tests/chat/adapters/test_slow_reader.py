"""A client that stops reading costs bounded memory, is closed 4008, and slows nobody."""

import asyncio
import gc
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chat.adapters.protocol import CAUGHT_UP_BYTES, QUIET_BYTES, RoomProtocol
from chat.connection import CLOSE_BYTES
from tests.chat.house import MSGPACK, PATIENCE_S, House, Node, Viewer, open_node, watching


def small_socket(port: int) -> socket.socket:
    """A connected socket that takes little before it is full."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", port))
    small.setblocking(False)
    return small


async def stop_reading(node: Node) -> Viewer:
    """A welcomed viewer that reads no more."""
    connection = await connect(
        node.url(),
        sock=small_socket(node.port),
        subprotocols=[Subprotocol(MSGPACK)],
        compression=None,
        max_queue=1,
        ping_interval=None,
    )
    viewer = Viewer(connection, MSGPACK)
    await viewer.send({"type": "hello"})
    await viewer.until("welcome")
    connection.transport.pause_reading()
    return viewer


def connections() -> list[RoomProtocol]:
    """The server's connections as they are now."""
    protocols = [thing for thing in gc.get_objects() if type(thing) is RoomProtocol]
    return [protocol for protocol in protocols if not protocol.disconnected]


async def test_a_slow_reader_is_closed_4008_while_others_go_on(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It reads on only when the others are served, however long that takes.
    monkeypatch.setattr("chat.adapters.protocol.CLOSE_GRACE_S", 600.0)
    event = {"type": "product", "product": {"id": "tulip", "description": "꽃" * 10_000}}
    async with open_node(redis_url, House()) as node, watching(node, "bom") as bom:
        slow = await stop_reading(node)
        served = connections()
        highest = 0
        async with asyncio.timeout(2 * PATIENCE_S):
            for number in range(150):
                await node.chat.publish("spring", {**event, "version": number})
                await bom.until_member("product", "version", number)
                highest = max(highest, *(connection.backlog() for connection in served))
        assert CLOSE_BYTES / 2 < highest < 2 * CLOSE_BYTES
        await bom.say("still here")
        await bom.until("accepted")
        slow.connection.transport.resume_reading()
        assert await slow.closed() == 4008


async def test_who_lags_goes_without_talk_until_it_has_caught_up(redis_url: str) -> None:
    event = {"type": "product", "product": {"id": "tulip", "description": "꽃" * 10_000}}
    async with open_node(redis_url, House()) as node, watching(node, "bom") as bom:
        slow = await stop_reading(node)
        served = connections()
        async with asyncio.timeout(PATIENCE_S):
            while not any(connection.lags for connection in served):
                await node.chat.publish("spring", event)
                await bom.until("product")
            await bom.say("unheard")
            await bom.until("said")
            slow.connection.transport.resume_reading()
            while any(connection.lags for connection in served):
                await slow.receive()
            await bom.say("heard", "2")
            assert (await slow.until("said"))["text"] == "heard"


def test_the_limits_stand_in_their_order() -> None:
    assert 0 < CAUGHT_UP_BYTES < QUIET_BYTES < CLOSE_BYTES


async def test_a_reader_that_never_reads_again_is_cut_off(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.connection.CLOSE_BYTES", 64 * 1024)
    monkeypatch.setattr("chat.adapters.protocol.CLOSE_GRACE_S", 0.1)
    event = {"type": "product", "product": {"description": "꽃" * 10_000}}
    async with open_node(redis_url, House()) as node:
        slow = await stop_reading(node)
        async with asyncio.timeout(PATIENCE_S):
            while not node.chat.hub.empty.is_set():
                await node.chat.publish("spring", event)
                await asyncio.sleep(0)
            while node.server.server_state.connections:
                await asyncio.sleep(0)
        assert not connections()
        slow.connection.transport.abort()
