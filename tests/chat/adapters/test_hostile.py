"""What hostile clients send: each is refused or closed with a clear code; the room goes on."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from live.server.stores import Stores
from tests.chat.house import JSON, MSGPACK, House, Node, Viewer, at_the_door, open_node, watching

HELLO = msgspec.msgpack.encode({"type": "hello"})
SAY = msgspec.msgpack.encode({"type": "say", "id": "1", "text": "x"})


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    """A client frame as anybody can make it (RFC 6455 section 5.2)."""
    mask = os.urandom(4)
    bit = 0x80 if masked else 0
    size = len(payload)
    length = bytes((bit | size,)) if size < 126 else bytes((bit | 126,)) + size.to_bytes(2)
    body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if masked else payload
    return bytes(((0x80 if fin else 0) | opcode,)) + length + (mask if masked else b"") + body


@dataclass(frozen=True)
class Attack:
    """Bytes after the handshake, and the close code they earn."""

    name: str
    sent: bytes
    code: int
    wire: str = MSGPACK


def text(message: str, opcode: int = 1) -> bytes:
    """A JSON message as a frame."""
    return frame(opcode, message.encode())


GREETED = frame(2, HELLO)
ATTACKS = [
    Attack("bad msgpack", frame(2, b"\xc1"), 4001),
    Attack("nothing", frame(2, b""), 4001),
    Attack("truncated", frame(2, HELLO[:-2]), 4001),
    Attack("trailing bytes", frame(2, HELLO + b"\x00"), 4001),
    Attack("array announcing 4 Gi entries", frame(2, b"\xdd\xff\xff\xff\xff"), 4001),
    Attack("deep nesting", frame(2, b"\x81\xa4type" + b"\x91" * 4000), 4001),
    Attack("deep nesting in json", text('{"type":' + "[" * 4000), 4001, JSON),
    Attack("deep nesting in an extra field", text('{"type":"hello","x":' + "[" * 4000), 4001, JSON),
    Attack("a number", frame(2, b"\x07"), 4001),
    Attack("integer keys", frame(2, b"\x81\x01\x02"), 4001),
    Attack("unknown type", text('{"type":"sudo"}'), 4001, JSON),
    Attack("token of the wrong type", text('{"type":"hello","token":[1]}'), 4001, JSON),
    Attack("say before hello", frame(2, SAY), 4001),
    Attack("hello twice", GREETED + frame(2, HELLO), 4001),
    Attack(
        "NaN hearts", text('{"type":"hello"}') + text('{"type":"heart","count":NaN}'), 4001, JSON
    ),
    Attack(
        "NaN hearts in msgpack",
        GREETED + frame(2, msgspec.msgpack.encode({"type": "heart", "count": float("nan")})),
        4001,
    ),
    Attack(
        "minus hearts", text('{"type":"hello"}') + text('{"type":"heart","count":-5}'), 4001, JSON
    ),
    Attack(
        "too many hearts",
        GREETED + frame(2, msgspec.msgpack.encode({"type": "heart", "count": 51})),
        4001,
    ),
    Attack(
        "a say with an id too long",
        GREETED + frame(2, msgspec.msgpack.encode({"type": "say", "id": "i" * 33, "text": "x"})),
        4001,
    ),
    Attack("lone surrogate", text('{"type":"hello","token":"\\ud800"}'), 4001, JSON),
    Attack("binary in json mode", frame(2, b'{"type":"hello"}'), 4001, JSON),
    Attack("text in msgpack mode", text('{"type":"hello"}'), 4001),
    Attack(
        "invalid UTF-8 in msgpack", frame(2, b"\x82\xa4type\xa5hello\xa5token\xa2\xff\xfe"), 4001
    ),
    Attack("invalid UTF-8 in text", frame(1, b'{"type":"\xff"}'), 1007, JSON),
    Attack("oversized", frame(2, b"\x00" * 5000), 1009),
    Attack(
        "oversized in fragments",
        frame(2, b"\x00" * 4000, fin=False) + frame(0, b"\x00" * 4000),
        1009,
    ),
    Attack(
        "fragments without end",
        frame(2, b"", fin=False) + frame(0, b"", fin=False) * 100,
        4001,
    ),
    Attack("announcing 2**62 bytes", b"\x82\xff" + (2**62).to_bytes(8) + b"mask", 1009),
    Attack("unmasked", frame(2, HELLO, masked=False), 1002),
    Attack("reserved bits", b"\xf2\x80mask", 1002),
    Attack("reserved opcode", frame(3, b""), 1002),
    Attack("ping too long", frame(9, b"p" * 126), 1002),
    Attack("ping in fragments", frame(9, b"p", fin=False), 1002),
    Attack("continuation of nothing", frame(0, b"x"), 1002),
    Attack("a new message inside a fragmented one", frame(2, b"", fin=False) + frame(2, b""), 1002),
    Attack("close code nobody may send", frame(8, (1005).to_bytes(2)), 1002),
    Attack("close frame of one byte", frame(8, b"\x03"), 1002),
]


@pytest_asyncio.fixture(scope="module")
async def room(stores: Stores) -> AsyncIterator[tuple[Node, Viewer]]:
    """One node for all attacks, with a viewer who chats through all of them."""
    async with open_node(stores.redis_url, House()) as node, watching(node, "dal") as dal:
        yield node, dal


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_ends_with_its_code_and_hurts_nobody(
    room: tuple[Node, Viewer], attack: Attack
) -> None:
    node, dal = room
    async with at_the_door(node, wire=attack.wire) as attacker:
        attacker.connection.transport.write(attack.sent)
        assert await attacker.closed() == attack.code
    await node.chat.publish("spring", {"type": "pin", "product": attack.name})
    await dal.until_member("pin", "product", attack.name)


async def test_text_that_is_no_utf_8_fills_no_log(
    room: tuple[Node, Viewer], caplog: pytest.LogCaptureFixture
) -> None:
    node, _ = room
    async with at_the_door(node, wire=JSON) as attacker:
        attacker.connection.transport.write(frame(1, b'{"type":"\xff"}'))
        assert await attacker.closed() == 1007
    assert caplog.records == []


async def test_a_message_in_fragments_with_a_ping_between_is_read(
    room: tuple[Node, Viewer],
) -> None:
    node, _ = room
    async with at_the_door(node) as viewer:
        viewer.connection.transport.write(
            frame(2, HELLO[:3], fin=False) + frame(9, b"p") + frame(0, HELLO[3:])
        )
        assert (await viewer.until("welcome"))["show"] == "spring"


async def test_a_peer_that_vanishes_in_the_middle_of_a_frame_is_forgotten(
    redis_url: str,
) -> None:
    async with open_node(redis_url, House()) as node:
        connection = await connect(
            node.url(), subprotocols=[Subprotocol(MSGPACK)], compression=None
        )
        viewer = Viewer(connection, MSGPACK)
        await viewer.send({"type": "hello"})
        await viewer.until("welcome")
        connection.transport.write(b"\x82\xfe")
        connection.transport.abort()
        async with asyncio.timeout(10):
            assert await node.chat.hub.empty.wait()


async def test_pongs_nobody_reads_end_the_connection(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.adapters.protocol.CLOSE_BYTES", 64 * 1024)
    async with open_node(redis_url, House()) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port, limit=4096)
        writer.write(
            b"GET /shows/spring/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b"101" in await reader.readline()
        pings = frame(9, b"p" * 125) * 500

        async def flood() -> None:
            while True:
                writer.write(pings)
                await writer.drain()

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(flood(), 10)
        writer.close()
