"""A WebRTC peer of the suite's own: full ICE over one UDP socket, DTLS by aiortc, SRTP.

It offers, so it controls (RFC 8445 §6.1.1). It checks every UDP candidate of the answer, nominates
the first that answers, answers the server's own checks, and renews consent until it is silenced.
"""

import asyncio
import secrets
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import Final, cast

from aioice import stun
from aiortc import RTCCertificate, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from tests.conformance.offers import Transport
from tests.conformance.sdp import Description

CONNECT_S: Final = 15.0
PATIENCE_S: Final = 10.0
CHECK_EVERY_S: Final = 0.25
RENEW_EVERY_S: Final = 2.0
PRIORITY: Final = 126 << 24 | 0xFFFFFF
CERTIFICATE: Final = RTCCertificate.generateCertificate()

Address = tuple[str, int]


def shown_fingerprint() -> str:
    """SHA-256 of the certificate all peers of the suite show."""
    prints = CERTIFICATE.getFingerprints()
    return next(each.value for each in prints if each.algorithm == "sha-256")


class Wire(asyncio.DatagramProtocol):
    """A UDP socket of a peer."""

    def __init__(self, peer: "Peer") -> None:
        self._peer = peer
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Something came."""
        self._peer.received(data, (addr[0], addr[1]), self)


class Peer:
    """One peer. `media`: RTP payload type and sequence number of whatever came.

    `spoken_to`: set once RTP or RTCP came, which shows that the server too has shaken hands;
    `ended_by_server`: set when it closed the DTLS association.
    """

    role: Final = "controlling"

    def __init__(self) -> None:
        self.local = Transport(fingerprint=shown_fingerprint())
        self.media: list[tuple[int, int]] = []
        self.server_checked = False
        self.ended_by_server = asyncio.Event()
        self.spoken_to = asyncio.Event()
        self._remote: Description
        self._wire: Wire
        self._selected: Address | None = None
        self._answered: dict[bytes, asyncio.Event] = {}
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._arrived = asyncio.Event()
        self._renewal: asyncio.TimerHandle | None = None
        self._silent = False
        # The peer itself stands in for the ICE transport: aiortc asks it for `role` and two calls.
        self._dtls = RTCDtlsTransport(cast("RTCIceTransport", self), [CERTIFICATE])
        self._dtls.add_listener("statechange", self._on_state)

    async def connect(self, answer: Description) -> None:
        """Check, nominate, shake hands; media may flow when it returns. Raises `TimeoutError`."""
        self._remote = answer
        async with asyncio.timeout(CONNECT_S):
            await self._open()
            await self._nominate()
            passive = "passive" in answer.anywhere("setup")
            self._dtls._set_role("client" if passive else "server")
            expected = [RTCDtlsFingerprint(name, value) for name, value in answer.fingerprints]
            await self._dtls.start(RTCDtlsParameters(expected))
        assert self._dtls.state == "connected", f"the DTLS handshake ended {self._dtls.state}"
        self._renew()

    async def restart(self, told: Description, local: Transport) -> None:
        """Go on under new credentials from a new socket, as after a change of network."""
        before = self._wire
        self._remote.session.lines[:] = told.session.lines
        self._remote = told if told.candidates else _with_candidates(told, self._remote)
        self.local = local
        async with asyncio.timeout(CONNECT_S):
            await self._open()
            await self._nominate()
        before.transport.close()

    async def is_answered(
        self, username: str, password: str, *, timeout_s: float = PATIENCE_S
    ) -> bool:
        """Whether a check with these credentials is answered; it is repeated meanwhile."""
        assert self._selected is not None, "not connected"
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._check([self._selected], username, password)
                return True
        return False

    def begin_check(self, username: str, password: str) -> asyncio.Event:
        """Send one check; the event is set when it is answered with success."""
        assert self._selected is not None, "not connected"
        return self._send_check(self._selected, username, password, nominate=True)

    @property
    def username(self) -> str:
        """The user name of the checks to the server."""
        return f"{self._remote.ufrag}:{self.local.ufrag}"

    @property
    def password(self) -> str:
        """The password of the checks to the server."""
        return self._remote.password

    @property
    def _is_there(self) -> bool:
        return self._dtls.state == "connected" and not self._silent

    def send(self, packet: bytes) -> None:
        """Encrypt an RTP packet and send it."""
        if self._selected is not None and self._is_there:
            self._wire.transport.sendto(self._dtls._tx_srtp.protect(packet), self._selected)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt a compound RTCP packet and send it."""
        if self._selected is not None and self._is_there:
            self._wire.transport.sendto(self._dtls._tx_srtp.protect_rtcp(packet), self._selected)

    async def more_media(self, payload_types: Collection[int], count: int = 20) -> list[int]:
        """The sequence numbers of the next packets of these types. Raises `TimeoutError`."""
        begun = len(self.media)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [number for kind, number in self.media[begun:] if kind in payload_types]
                if len(found) >= count:
                    return found
                self._arrived.clear()
                await self._arrived.wait()

    def fall_silent(self) -> None:
        """Vanish without a word: nothing is sent, answered or read any more."""
        self._silent = True
        if self._renewal is not None:
            self._renewal.cancel()

    async def say_goodbye(self) -> None:
        """Send a DTLS close_notify and nothing else."""
        self.fall_silent()
        await self._dtls.stop()

    def close(self) -> None:
        """Forget it; the server hears nothing of that."""
        self.fall_silent()
        self._inbox.put_nowait(b"")
        if hasattr(self, "_wire"):
            self._wire.transport.close()

    def received(self, data: bytes, source: Address, wire: Wire) -> None:
        """A datagram came (RFC 7983)."""
        if not data:
            return
        if data[0] < 4:
            self._stun(data, source, wire)
        elif data[0] < 64:
            self._inbox.put_nowait(data)
        elif data[0] >= 128:
            self.spoken_to.set()
            if not 192 <= data[1] < 224:
                self._rtp(data)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        hosts = [each.host for each in self._remote.candidates if each.transport == "udp"]
        family = socket.AF_INET if any("." in host for host in hosts) else socket.AF_INET6
        every = "0.0.0.0" if family == socket.AF_INET else "::"
        _, self._wire = await loop.create_datagram_endpoint(
            lambda: Wire(self), local_addr=(every, 0), family=family
        )
        colons = family == socket.AF_INET6
        self._targets = [
            (each.host, each.port)
            for each in self._remote.candidates
            if each.transport == "udp" and (":" in each.host) == colons
        ]
        assert self._targets, "the answer has no UDP candidate"

    async def _nominate(self) -> None:
        self._selected = await self._check(self._targets, self.username, self.password)

    async def _check(self, targets: list[Address], username: str, password: str) -> Address:
        waiting: dict[asyncio.Event, Address] = {}
        while True:
            for target in targets:
                with suppress(OSError):
                    event = self._send_check(target, username, password, nominate=True)
                    waiting[event] = target
            async with asyncio.TaskGroup() as group:
                tasks = {group.create_task(event.wait()): event for event in waiting}
                await asyncio.wait(
                    tasks, timeout=CHECK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in tasks:
                    task.cancel()
            for event, target in waiting.items():
                if event.is_set():
                    return target

    def _send_check(
        self, target: Address, username: str, password: str, *, nominate: bool
    ) -> asyncio.Event:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = username
        request.attributes["PRIORITY"] = PRIORITY
        request.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(password.encode())
        event = self._answered[request.transaction_id] = asyncio.Event()
        self._wire.transport.sendto(bytes(request), target)
        return event

    def _stun(self, data: bytes, source: Address, wire: Wire) -> None:
        with suppress(ValueError):
            message = stun.parse_message(data)
            if message.message_class is stun.Class.RESPONSE:
                if (event := self._answered.pop(message.transaction_id, None)) is not None:
                    event.set()
            elif message.message_class is stun.Class.REQUEST and not self._silent:
                self._answer(message, source, wire)

    def _answer(self, request: stun.Message, source: Address, wire: Wire) -> None:
        """The server checks us: it has full ICE."""
        if not request.check_message_integrity(self.local.password.encode()):
            return
        self.server_checked = True
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        response.add_message_integrity(self.local.password.encode())
        wire.transport.sendto(bytes(response), source)

    def _rtp(self, data: bytes) -> None:
        if self._is_there:
            self.media.append((data[1] & 127, data[2] << 8 | data[3]))
            self._arrived.set()

    def _renew(self) -> None:
        """Consent lives while checks are answered (RFC 7675 §5.1)."""
        if not self._silent:
            self.begin_check(self.username, self.password)
            loop = asyncio.get_running_loop()
            self._renewal = loop.call_later(RENEW_EVERY_S, self._renew)

    def _on_state(self) -> None:
        if self._dtls.state == "closed":
            self.ended_by_server.set()

    async def _recv(self) -> bytes:
        data = await self._inbox.get()
        if not data:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        if self._selected is not None:
            self._wire.transport.sendto(data, self._selected)


def _with_candidates(told: Description, before: Description) -> Description:
    """A restart may tell no candidates: those before still count (RFC 9725 §4.3.3)."""
    lines = [f"a=candidate:{value}" for value in before.anywhere("candidate")]
    told.session.lines.extend(lines)
    return told
