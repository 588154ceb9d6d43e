"""Asks STUN servers, from the media sockets themselves, how the outside sees them (RFC 8489).

Nobody waits for an answer: until one comes, and when none does, a node offers what it knows. What
was seen last stays offered while servers are silent; another answer replaces it.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, cast

import structlog

from signaling.adapters.udp import UdpDoor
from signaling.core import stun
from signaling.core.ice_uri import URI_LIMIT, IceUri
from signaling.core.reflexive import REFRESH_S, Address, Reflexive, Round
from signaling.transport import Door, Source

log = structlog.get_logger()

SERVER_LIMIT: Final = URI_LIMIT
"""Addresses asked in one round, in the servers' order; names may have many."""


class StunLookup:
    """How the outside sees one socket. `run` must be running while it is of use."""

    def __init__(self, door: UdpDoor, servers: Sequence[IceUri]) -> None:
        self.seen: Reflexive | None = None
        self._door = door
        self._servers = servers
        self._round = Round({}, time.monotonic())
        self._over = asyncio.Event()
        self._silent = False

    async def run(self) -> None:
        """Ask until cancelled, at once and then every `REFRESH_S`."""
        while True:
            servers = await self._resolve()
            if servers:
                await self._ask(servers)
                self._tell_silence(self._round.mapped is None)
            await asyncio.sleep(REFRESH_S)

    def receive(self, message: stun.Message, source: Source) -> None:
        """A STUN response came to the socket."""
        if not self._round.receive(message, self._door.address(source)):
            return
        self._over.set()
        if self._round.mapped is not None:
            base = self._door.local(source)
            self._see(Reflexive(*self._round.mapped, base, self._door.port))

    def _see(self, seen: Reflexive) -> None:
        if seen != self.seen:
            self.seen = seen
            log.info("public address", host=seen.host, port=seen.port, behind=seen.base_host)

    async def _ask(self, servers: Sequence[Address]) -> None:
        now = time.monotonic()
        self._round = Round({secrets.token_bytes(12): each for each in servers}, now)
        self._over.clear()
        while not self._round.over:
            for server, question in self._round.ask(now):
                self._door.open((server, b"")).send(question)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._round.due - now)):
                    await self._over.wait()
            now = time.monotonic()

    async def _resolve(self) -> list[Address]:
        """The servers' addresses in the socket's family; none while a name cannot be found."""
        loop, sockets = asyncio.get_running_loop(), self._door.socket
        found: list[Address] = []
        for server in self._servers:
            with suppress(OSError):
                answers = await loop.getaddrinfo(
                    server.host, server.port, family=sockets.family, type=sockets.type
                )
                found += [(str(address[0]), server.port) for *_, address in answers]
        return list(dict.fromkeys(found))[:SERVER_LIMIT]

    def _tell_silence(self, silent: bool) -> None:
        if silent and not self._silent:
            log.warning("no STUN server answers", servers=[str(each) for each in self._servers])
        self._silent = silent


class StunLookups:
    """The lookups of all sockets."""

    def __init__(self, doors: Iterable[UdpDoor], servers: Sequence[IceUri]) -> None:
        self._lookups = {door: StunLookup(door, servers) for door in doors if servers}

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lookup in self._lookups.values():
                tasks.create_task(lookup.run(), name="STUN lookup")

    def receive(self, message: stun.Message, source: Source, door: Door) -> None:
        """A STUN response came through a door."""
        lookup = self._lookups.get(cast("UdpDoor", door))
        if lookup is not None:
            lookup.receive(message, source)

    def seen(self) -> list[Reflexive]:
        """How the outside sees the sockets, as far as it is known."""
        return [each.seen for each in self._lookups.values() if each.seen is not None]
