"""Whom coturn lets in, run with the options of deploy/turnserver.conf: who has Kkot's credentials,
for as long as they last, and nobody else."""

import asyncio
import time

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from signaling.turn import CREDENTIAL_LIFE_S, credentials
from tests.reach.coturn import SECRET, Coturn

UNAUTHORIZED = 401


async def allocate(server: Coturn, username: str, password: str, transport: str) -> str:
    """The address of a relayed port. Raises `TransactionFailed` when coturn refuses it."""
    relayed, _ = await create_turn_endpoint(
        asyncio.DatagramProtocol,
        (server.host, server.port),
        username=username,
        password=password,
        transport=transport,
    )
    host: str = relayed.get_extra_info("sockname")[0]
    relayed.close()
    return host


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_kkots_credentials_open_a_relayed_port(turn: Coturn, transport: str) -> None:
    username, password = credentials(SECRET, int(time.time()))
    assert await allocate(turn, username, password, transport) == turn.host


async def test_credentials_of_another_secret_open_none(turn: Coturn) -> None:
    username, password = credentials("another secret, as long as ours", int(time.time()))
    with pytest.raises(TransactionFailed) as refused:
        await allocate(turn, username, password, "udp")
    assert refused.value.response.attributes["ERROR-CODE"][0] == UNAUTHORIZED


async def test_credentials_that_are_over_open_none(turn: Coturn) -> None:
    over = int(time.time()) - CREDENTIAL_LIFE_S - 60
    with pytest.raises(TransactionFailed) as refused:
        await allocate(turn, *credentials(SECRET, over), "udp")
    assert refused.value.response.attributes["ERROR-CODE"][0] == UNAUTHORIZED
