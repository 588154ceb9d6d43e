"""A browser negotiates compression by itself, and what it is told deflated it understands."""

import pytest

from chat.adapters.protocol import RoomProtocol
from tests.chat.house import House, open_node
from tests.e2e.conftest import Visit

LISTEN = """async url => {
    const socket = new WebSocket(url, "kkot.v1+json")
    window.told = []
    socket.onmessage = message => window.told.push(...JSON.parse(message.data))
    await new Promise(done => socket.onopen = done)
    socket.send(JSON.stringify({type: "hello"}))
    return socket.extensions
}"""
HEARD = "type => window.told.find(event => event.type === type)"


async def test_chromium_is_told_deflated(
    redis_url: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = RoomProtocol.write

    def noted(self: RoomProtocol, frame: bytes) -> None:
        written.append(frame)
        write(self, frame)

    monkeypatch.setattr(RoomProtocol, "write", noted)
    text = "꽃이 정말 예뻐요 " * 50
    async with open_node(redis_url, House()) as node:
        page = await visit(f"http://127.0.0.1:{node.port}/", "ko-KR")
        extensions = await page.evaluate(LISTEN, node.url())
        assert "server_no_context_takeover" in extensions
        await page.wait_for_function(HEARD, arg="welcome")
        await node.chat.publish("spring", {"type": "product", "text": text})
        told = await (await page.wait_for_function(HEARD, arg="product")).json_value()
        assert told["text"] == text
    deflated = [frame for frame in written if frame[0] == 0xC1]
    assert deflated
    assert max(map(len, deflated)) < len(text.encode()) / 4
