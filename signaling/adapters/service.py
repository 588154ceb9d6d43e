"""Puts signaling together: sockets open, endpoint running, everything closed in order."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import ifaddr

from signaling.adapters.dtls import Dtls
from signaling.adapters.tcp import TcpDoor
from signaling.adapters.udp import UdpDoor
from signaling.core.answer import Candidate
from signaling.endpoint import Endpoint, Gate
from signaling.ports import Media

ADDRESSES_FRESH_S: Final = 5.0


@asynccontextmanager
async def open_signaling(
    media: Media, gate: Gate, *, udp_port: int, tcp_port: int, public_ip: str
) -> AsyncIterator[Endpoint]:
    """Listen for media and give the endpoint.

    `udp_port`: the one media port, 0 for any free one. `tcp_port`: 0 turns ICE-TCP off.
    `public_ip`: the only address offered; every address of the machine when empty.
    Raises `OSError` when a port is taken.
    """
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as closing:
        doors = _open_udp(udp_port)
        for door in doors:
            closing.callback(door.close, loop)
        offered = Offered(public_ip, doors[0].port, tcp_port)
        endpoint = Endpoint(media, gate, Dtls(), offered.candidates)
        if tcp_port:
            tcp = TcpDoor(endpoint.receive, endpoint.drained, endpoint.owns, endpoint.forget)
            closing.callback(tcp.close)
            server = await loop.create_server(tcp.accept, None, tcp_port)
            closing.callback(server.close)
        for door in doors:
            door.start(loop, endpoint.receive, endpoint.drained)
        running = asyncio.create_task(endpoint.run(), name="signaling")
        closing.push_async_callback(_end, running)
        await asyncio.sleep(0)  # it owns its tasks before the first offer can come
        yield endpoint


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _open_udp(port: int) -> list[UdpDoor]:
    """One socket for IPv4, and one for IPv6 on the same port where the machine has it."""
    doors = [UdpDoor(socket.AF_INET, port)]
    with suppress(OSError):
        doors.append(UdpDoor(socket.AF_INET6, doors[0].port))
    return doors


class Offered:
    """The addresses that answers carry, looked up afresh every few seconds."""

    def __init__(self, public_ip: str, udp_port: int, tcp_port: int) -> None:
        self._hosts = [public_ip] if public_ip else []
        self._fixed = bool(public_ip)
        self._udp_port = udp_port
        self._tcp_port = tcp_port
        self._looked_at = -ADDRESSES_FRESH_S

    def candidates(self) -> Sequence[Candidate]:
        """UDP on every address, then TCP on every address; loopback first."""
        if not self._fixed and time.monotonic() - self._looked_at >= ADDRESSES_FRESH_S:
            self._looked_at = time.monotonic()
            self._hosts = local_addresses()
        udp = [Candidate(host, self._udp_port, "udp") for host in self._hosts]
        tcp = [Candidate(host, self._tcp_port, "tcp") for host in self._hosts]
        return udp + tcp if self._tcp_port else udp


def local_addresses() -> list[str]:
    """The machine's addresses that others can be told, loopback first."""
    found = [
        ipaddress.ip_address(ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    usable = [address for address in found if not address.is_link_local]
    usable.sort(key=lambda address: (not address.is_loopback, address.version))
    return [str(address) for address in dict.fromkeys(usable)]
