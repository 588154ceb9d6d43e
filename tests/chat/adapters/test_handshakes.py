"""Who comes when too many do is refused before anything is done, and gets in later."""

import asyncio

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chat.adapters.protocol import RETRY_AFTER_S, RoomProtocol, at_most
from tests.chat.house import PATIENCE_S, House, at_the_door, open_node, watching


@pytest.mark.parametrize("per_s", [1, 7, 100, 1000])
def test_no_second_has_more_handshakes_than_told(per_s: int) -> None:
    bucket = at_most(per_s).handshakes
    assert bucket is not None
    let_in = [tick / 997 for tick in range(5 * 997) for _ in range(3) if bucket.take(tick / 997)]
    busiest = max(sum(at <= other < at + 1 for other in let_in) for at in let_in[::7])
    assert 0.8 * min(per_s, 3 * 997) - 1 <= busiest <= per_s


def test_without_a_limit_nobody_counts() -> None:
    assert at_most(0) is RoomProtocol
    assert RoomProtocol.handshakes is None


async def test_too_many_are_told_to_come_back_and_get_in_later(redis_url: str) -> None:
    house = House()
    async with open_node(redis_url, house, websocket=at_most(10)) as node:
        async with watching(node, "bom") as bom:
            house.looked_at.clear()
            with pytest.raises(InvalidStatus) as refused:
                async with at_the_door(node):
                    pass
            answer = refused.value.response
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == str(RETRY_AFTER_S)
            assert msgspec.json.decode(answer.body or b"")["code"] == "busy"
            assert not house.looked_at.is_set()
            await bom.say("hello")
            await bom.until("said")
        async with asyncio.timeout(PATIENCE_S):
            while not await let_in(node.url()):
                pass


async def let_in(url: str) -> bool:
    """Whether a handshake succeeds now."""
    try:
        async with connect(url, compression=None, close_timeout=1):
            return True
    except InvalidStatus:
        return False


async def test_the_control_lets_everybody_in(redis_url: str) -> None:
    async with open_node(redis_url, House()) as node, watching(node), watching(node):
        assert await let_in(node.url())
