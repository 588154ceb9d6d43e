"""Puts signaling together: sockets open, endpoint running, everything closed in order."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from signaling.adapters.addresses import Offered
from signaling.adapters.dtls import Dtls
from signaling.adapters.stun_lookup import StunLookups
from signaling.adapters.tcp import TcpDoor
from signaling.adapters.udp import Counters, UdpDoor
from signaling.core.ice_uri import IceUri
from signaling.endpoint import Endpoint, Gate
from signaling.ports import Media


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passes the media port, by transport."""

    udp: Counters = field(default_factory=Counters)
    tcp: Counters = field(default_factory=Counters)


@asynccontextmanager
async def open_signaling(
    media: Media,
    gate: Gate,
    *,
    udp_port: int,
    tcp_port: int,
    public_ips: Sequence[str] = (),
    stun_servers: Sequence[IceUri] = (),
    traffic: Traffic | None = None,
) -> AsyncIterator[Endpoint]:
    """Listen for media and give the endpoint.

    `udp_port`: the one media port, 0 for any free one. `tcp_port`: 0 turns ICE-TCP off.
    `public_ips`: the only addresses offered; every address of the machine when empty.
    `stun_servers`: who is asked for the public address, which is offered too once it is known.
    `traffic`: counts what passes. Raises `OSError` when a port is taken.
    """
    loop, traffic = asyncio.get_running_loop(), traffic or Traffic()
    async with AsyncExitStack() as closing:
        doors = _open_udp(udp_port, traffic.udp)
        for door in doors:
            closing.callback(door.close, loop)
        lookups = StunLookups(doors, stun_servers)
        offered = Offered(public_ips, lookups.seen, doors[0].port, tcp_port)
        endpoint = Endpoint(media, gate, Dtls(), offered.candidates, answered=lookups.receive)
        if tcp_port:
            tcp = TcpDoor(
                *(endpoint.receive, endpoint.drained, endpoint.owns, endpoint.forget), traffic.tcp
            )
            closing.callback(tcp.close)
            server = await loop.create_server(tcp.accept, None, tcp_port)
            closing.callback(server.close)
        for door in doors:
            door.start(loop, endpoint.receive, endpoint.drained)
        await _run(closing, lookups.run())
        await _run(closing, endpoint.run())
        yield endpoint


async def _run(closing: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run until the stack closes. It has begun, and owns its tasks, when this returns."""
    closing.push_async_callback(_end, asyncio.create_task(work))
    await asyncio.sleep(0)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _open_udp(port: int, counters: Counters) -> list[UdpDoor]:
    """One socket for IPv4, and one for IPv6 on the same port where the machine has it."""
    doors = [UdpDoor(socket.AF_INET, port, counters)]
    with suppress(OSError):
        doors.append(UdpDoor(socket.AF_INET6, doors[0].port, counters))
    return doors
