"""Light WebRTC peers, hundreds to a process: ICE by hand, DTLS by aiortc, then plain datagrams.

A peer's packets are really encrypted; a viewer reads their headers only, which SRTP leaves in the
clear. Nothing is decoded.
"""

import asyncio
import re
import secrets
import socket
import time
from struct import pack
from typing import Final, cast

import httpx
import pylibsrtp
from aiortc import RTCCertificate, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from live.relay.core import rtcp
from signaling.adapters.dtls import PROFILES
from signaling.core import stun

VIDEO: Final = 102
RTX: Final = 103
AUDIO: Final = 111
CONNECT_S: Final = 20.0
CHECK_AGAIN_S: Final = 0.5
BUFFER_BYTES: Final = 1 << 20
DATAGRAM_BYTES: Final = 2048
PRIORITY: Final = pack("!I", 126 << 24 | 0xFFFFFF)


class Peer:
    """One WebRTC session with the server, from its offer to its end."""

    role: Final = "controlling"
    direction: str

    def __init__(self, certificate: RTCCertificate) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self.socket.bind(("127.0.0.1", 0))
        self.connected_at = 0.0
        self.inward: pylibsrtp.Session
        self.outward: pylibsrtp.Session
        self._buffer = bytearray(DATAGRAM_BYTES)
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(16)
        self._user = ""
        self._remote_password = b""
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._checked = asyncio.Event()
        self._certificate = certificate
        # The peer itself stands in for the ICE transport, as the server's handshake does.
        self._transport = RTCDtlsTransport(cast("RTCIceTransport", self), [certificate])
        self._transport._set_role("client")
        self._transport._srtp_profiles = PROFILES

    async def connect(self, http: httpx.AsyncClient, path: str, key: str = "") -> None:
        """POST the offer, check, shake hands; media may flow when it returns."""
        headers = {"Content-Type": "application/sdp"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        answer = await http.post(path, content=self.describe(), headers=headers)
        answer.raise_for_status()
        ufrag = _found(r"a=ice-ufrag:(\S+)", answer.text)
        self._user = f"{ufrag}:{self._ufrag}"
        self._remote_password = _found(r"a=ice-pwd:(\S+)", answer.text).encode()
        port = int(_found(r"a=candidate:\d+ 1 udp \d+ 127\.0\.0\.1 (\d+)", answer.text))
        self.socket.connect(("127.0.0.1", port))
        asyncio.get_running_loop().add_reader(self.socket, self._read)
        async with asyncio.timeout(CONNECT_S):
            await self._nominate()
            fingerprint = _found(r"a=fingerprint:sha-256 (\S+)", answer.text)
            expected = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint)])
            await self._transport.start(expected)
        if self._transport.state != "connected":
            raise ConnectionError("the DTLS handshake failed")
        self.inward, self.outward = self._transport._rx_srtp, self._transport._tx_srtp
        self.connected_at = time.monotonic()

    def describe(self) -> str:
        """The offer."""
        fingerprint = _fingerprint(self._certificate)
        return _offer(self.direction, self._ufrag, self._password, fingerprint)

    def check(self) -> None:
        """Send an ICE check; it also renews consent (RFC 7675)."""
        attributes = [
            (stun.USERNAME, self._user.encode()),
            (stun.PRIORITY, PRIORITY),
            (stun.ICE_CONTROLLING, bytes(8)),
            (stun.USE_CANDIDATE, b""),
        ]
        transaction = secrets.token_bytes(12)
        self.socket.send(
            stun.build(stun.BINDING_REQUEST, transaction, attributes, self._remote_password)
        )

    async def leave(self) -> None:
        """Tell the server by DTLS, and close."""
        await self._transport.stop()
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()

    async def _nominate(self) -> None:
        while not self._checked.is_set():
            self.check()
            try:
                async with asyncio.timeout(CHECK_AGAIN_S):
                    await self._checked.wait()
            except TimeoutError:
                continue

    def _read(self) -> None:
        recv_into, buffer = self.socket.recv_into, self._buffer
        try:
            while True:
                size = recv_into(buffer)
                if buffer[0] >= 128:
                    self._media(buffer, size)
                else:
                    self._control(bytes(buffer[:size]))
        except (BlockingIOError, ConnectionError):
            pass  # read empty, or the server is gone

    def _control(self, datagram: bytes) -> None:
        if datagram[0] < 4:
            self._checked.set()
        else:
            self._inbox.put_nowait(datagram)

    def _media(self, buffer: bytearray, size: int) -> None:
        """An encrypted RTP or RTCP packet came; `buffer` is used again for the next one."""

    async def _recv(self) -> bytes:
        return await self._inbox.get()

    async def _send(self, datagram: bytes) -> None:
        self.socket.send(datagram)


class Arrivals:
    """What came of one track since it was last cleared."""

    __slots__ = ("count", "first", "last")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.count, self.first, self.last = 0, -1, -1

    @property
    def lost(self) -> int:
        """Packets missing between the first and the last."""
        return (self.last - self.first & 0xFFFF) + 1 - self.count if self.count else 0


class Viewer(Peer):
    """Counts what it gets and reports like a browser."""

    direction = "recvonly"

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.tracks = {VIDEO: Arrivals(), AUDIO: Arrivals()}
        self.first_at = 0.0
        self.arrived = asyncio.Event()
        report = rtcp.ReportBlock(1, 0, 0, 0, 0, 0, 0)
        self._report = rtcp.receiver_report(2, [report]) + rtcp.remb(2, 4_000_000, [1])

    def report(self) -> None:
        """Send an RR with a REMB."""
        self.socket.send(self.outward.protect_rtcp(self._report))

    def _media(self, buffer: bytearray, size: int) -> None:
        track = self.tracks.get(buffer[1] & 127)
        if track is None:
            return
        track.count += 1
        track.last = buffer[2] << 8 | buffer[3]
        if track.first < 0:
            track.first = track.last
            if not self.first_at:
                self.first_at = time.monotonic()
                self.arrived.set()


def _fingerprint(certificate: RTCCertificate) -> str:
    found = certificate.getFingerprints()
    return next(f.value for f in found if f.algorithm == "sha-256")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"the answer has no {pattern}")
    return match[1]


def _offer(direction: str, ufrag: str, password: str, fingerprint: str) -> str:
    common = [
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:active",
        f"a={direction}",
        "a=rtcp-mux",
    ]
    h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
    lines = [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"),
        *(f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {RTX}", "a=mid:0", *common),
        *(f"a=rtpmap:{VIDEO} H264/90000", f"a=fmtp:{VIDEO} {h264}"),
        *(f"a=rtcp-fb:{VIDEO} nack", f"a=rtcp-fb:{VIDEO} nack pli"),
        *(f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}"),
        *(f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO}", "a=mid:1", *common),
        f"a=rtpmap:{AUDIO} opus/48000/2",
    ]
    return "\r\n".join(lines) + "\r\n"
