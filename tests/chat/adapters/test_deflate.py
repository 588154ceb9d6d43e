"""Compression: one deflated frame for all who take it, and nothing kept for any of them."""

import json
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.typing import Subprotocol

from chat.core.commands import MESSAGE_BYTES
from tests.chat.house import JSON, MSGPACK, Node, Viewer, watching

TEXT = "꽃이 정말 예뻐요 " * 20


@asynccontextmanager
async def offering(
    node: Node, offers: Sequence[ClientPerMessageDeflateFactory], wire: str = MSGPACK
) -> AsyncIterator[tuple[Viewer, list[Frame]]]:
    """A welcomed client that offers this, and the data frames it gets as they come."""
    async with connect(
        node.url(),
        subprotocols=[Subprotocol(wire)],
        extensions=offers,
        compression=None,
        close_timeout=1,
    ) as connection:
        frames: list[Frame] = []
        for extension in connection.protocol.extensions:
            keep_frames(extension, frames)
        viewer = Viewer(connection, wire)
        await viewer.send({"type": "hello"})
        await viewer.until("welcome")
        yield viewer, frames


def keep_frames(extension: Any, frames: list[Frame]) -> None:
    """Have every frame kept that an extension decodes."""
    decode = extension.decode

    def keeping(frame: Frame, **options: Any) -> Frame:
        frames.append(frame)
        decoded: Frame = decode(frame, **options)
        return decoded

    extension.decode = keeping


def browser() -> ClientPerMessageDeflateFactory:
    """What browsers offer."""
    return ClientPerMessageDeflateFactory(client_max_window_bits=True)


@pytest.mark.parametrize("wire", [MSGPACK, JSON])
async def test_all_who_take_it_get_the_same_deflated_frame(node: Node, wire: str) -> None:
    async with (
        offering(node, [browser()], wire) as (bom, told_bom),
        offering(node, [browser()], wire) as (dal, told_dal),
        watching(node, "haru", wire=wire) as haru,
    ):
        answer = bom.connection.response
        assert answer is not None
        assert set(answer.headers["Sec-WebSocket-Extensions"].split("; ")) == {
            "permessage-deflate",
            "server_no_context_takeover",
            "client_no_context_takeover",
        }
        assert haru.connection.response is not None
        assert "Sec-WebSocket-Extensions" not in haru.connection.response.headers
        for number in range(3):
            await node.chat.publish("spring", {"type": "product", "n": number, "text": TEXT})
            heard = [await viewer.until_member("product", "n", number) for viewer in (bom, dal)]
            assert [event["text"] for event in heard] == [TEXT, TEXT]
            assert (await haru.until_member("product", "n", number))["text"] == TEXT
        deflated = [frame.data for frame in told_bom if frame.rsv1]
        assert len(deflated) == 3
        assert deflated == [frame.data for frame in told_dal if frame.rsv1]
        assert max(map(len, deflated)) < len(TEXT.encode()) / 4


async def test_what_is_told_to_one_alone_is_not_deflated(node: Node) -> None:
    async with offering(node, [browser()]) as (_, told):
        assert len(told) == 1
        assert not told[0].rsv1


async def test_a_client_with_a_small_window_is_told_without(node: Node) -> None:
    small = ClientPerMessageDeflateFactory(server_max_window_bits=9)
    async with offering(node, [small]) as (viewer, told):
        await node.chat.publish("spring", {"type": "product", "text": TEXT})
        assert (await viewer.until("product"))["text"] == TEXT
        assert not any(frame.rsv1 for frame in told)


async def test_deflated_messages_are_understood(node: Node) -> None:
    async with offering(node, [browser()], JSON) as (viewer, _):
        hearts = json.dumps({"type": "heart", "count": 3, "unknown": "x" * 1000})
        await viewer.connection.send(hearts)
        assert (await viewer.until("hearts"))["count"] == 3


async def test_a_message_that_inflates_too_far_ends_its_connection(node: Node) -> None:
    bomb = zlib.compressobj(wbits=-15)
    data = bomb.compress(bytes(1000 * MESSAGE_BYTES)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    assert len(data) < 2 * MESSAGE_BYTES
    async with offering(node, [browser()]) as (viewer, _), watching(node, "bom") as bom:
        frame = bytes((0xC2, 0xFE)) + len(data[:-4]).to_bytes(2) + bytes(4) + data[:-4]
        viewer.connection.transport.write(frame)
        assert await viewer.closed() == 1009
        await bom.say("still here")
        await bom.until("accepted")
