"""What coturn does with Kkot's credentials, run with the options of deploy/turnserver.conf."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aioice import stun
from aioice import turn as foreign

from signaling.turn import CREDENTIAL_LIFE_S, credentials
from tests.reach.coturn import HERE, SECRET, Coturn

ALLOCATION_S: Final = 600
CHANNEL: Final = 0x4000
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403


@asynccontextmanager
async def client(
    server: Coturn, username: str, password: str
) -> AsyncIterator[foreign.TurnClientMixin]:
    """A TURN client that has an allocation."""
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: foreign.TurnClientUdpProtocol(
            (server.host, server.port), username, password, ALLOCATION_S, ALLOCATION_S
        ),
        remote_addr=(server.host, server.port),
    )
    try:
        await client.connect()
        yield client
        await client.delete()
    finally:
        transport.close()


async def refusal(server: Coturn, username: str, password: str) -> int:
    """The error code that a client with these credentials gets."""
    with pytest.raises(stun.TransactionFailed) as refused:
        async with client(server, username, password):
            pass
    code = refused.value.response.error_code
    assert code is not None
    return code


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_our_credentials_open_a_relayed_port(turn: Coturn, transport: str) -> None:
    username, password = credentials(SECRET, int(time.time()))
    relayed, _ = await foreign.create_turn_endpoint(
        asyncio.DatagramProtocol,
        (turn.host, turn.port),
        username=username,
        password=password,
        transport=transport,
    )
    assert relayed.get_extra_info("sockname")[0] == HERE
    relayed.close()


async def test_expired_wrong_and_foreign_credentials_are_refused(turn: Coturn) -> None:
    now_s = int(time.time())
    username, password = credentials(SECRET, now_s)
    assert await refusal(turn, username, password[::-1]) == UNAUTHORIZED
    later = f"{now_s + 2 * CREDENTIAL_LIFE_S}:kkot"
    assert await refusal(turn, later, password) == UNAUTHORIZED
    assert await refusal(turn, *credentials("another secret", now_s)) == UNAUTHORIZED
    expired = credentials(SECRET, now_s - CREDENTIAL_LIFE_S - 1)
    assert await refusal(turn, *expired) == UNAUTHORIZED


async def test_it_relays_to_kkot_and_to_nobody_else(turn: Coturn) -> None:
    async with client(turn, *credentials(SECRET, int(time.time()))) as allocation:
        for number, stranger in enumerate(("127.0.0.2", "10.0.0.1", "203.0.113.9"), 1):
            with pytest.raises(stun.TransactionFailed) as refused:
                await allocation.channel_bind(CHANNEL + number, (stranger, 8189))
            assert refused.value.response.error_code == FORBIDDEN
        await allocation.channel_bind(CHANNEL, (HERE, 8189))
