"""DTLS-SRTP through aiortc's transport, and the SRTP ciphers it yields (RFC 5763, RFC 5764).

aiortc shakes hands, checks the certificate and derives the keys; packets never pass through it:
it sees only DTLS datagrams, and its SRTP sessions are used directly.
"""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from struct import unpack_from
from typing import Final, cast

import pylibsrtp
from aiortc import RTCCertificate, RTCIceTransport
from aiortc import rtcdtlstransport as aiortc_dtls
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from pylibsrtp import SRTP_MAX_TRAILER_LEN
from pylibsrtp._binding import ffi, lib

from signaling.transport import Ciphers, Handshake

BACKLOG: Final = 32
"""DTLS datagrams that may wait to be read; more are dropped, DTLS repeats them."""
SOURCE_LIMIT: Final = 16
"""SSRCs one peer may send; packets of further ones are dropped."""
PACKET_LIMIT_BYTES: Final = 1_350
"""The longest plaintext packet that can be encrypted again with room for an RTX number."""
RENEW_BEFORE: Final = datetime.timedelta(days=7)

PROFILES: Final = [
    profile
    for name in ("SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80")
    if (profile := getattr(aiortc_dtls, name)) in aiortc_dtls.SRTP_PROFILES
]
"""Cheapest first: GCM of 128 bits costs two thirds of counter mode with SHA-1."""


REFUSED: Final = (pylibsrtp.Error, ValueError)
"""What libsrtp raises for a packet it does not take: the binding checks lengths by itself."""


class SrtpCiphers:
    """SRTP and SRTCP of one association. `dropped`: packets that could not be encrypted."""

    def __init__(self, inward: pylibsrtp.Session, outward: pylibsrtp.Session) -> None:
        self.dropped = 0
        self._outward = outward
        self._length = ffi.new("int *")
        self._protect_rtcp: Callable[[bytes], bytes] = outward.protect_rtcp
        self._unprotect: Callable[[bytes], bytes] = inward.unprotect
        self._unprotect_rtcp: Callable[[bytes], bytes] = inward.unprotect_rtcp
        self._sources: set[int] = set()

    def protect_run(self, packets: Sequence[bytes]) -> list[bytes]:
        """Encrypt RTP packets; one that is too long or too old is left out and counted.

        Calls libsrtp in the session's own buffer: `Session.protect` costs more than twice as much.
        """
        session, length, protect = self._outward, self._length, lib.srtp_protect
        context, scratch, view = session._srtp[0], session._cdata, session._buffer
        longest = len(view) - SRTP_MAX_TRAILER_LEN
        protected: list[bytes] = []
        for packet in packets:
            size = len(packet)
            if size > longest:
                continue
            view[0:size] = packet
            length[0] = size
            if protect(context, scratch, length) == lib.srtp_err_status_ok:
                protected.append(view[0 : length[0]])
        self.dropped += len(packets) - len(protected)
        return protected

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """Encrypt a compound RTCP packet; None, and counted, when it is too long or nonsense."""
        try:
            return self._protect_rtcp(packet)
        except REFUSED:
            self.dropped += 1
            return None

    def unprotect(self, packet: bytes) -> bytes | None:
        """Decrypt an RTP packet; None for a forgery, a replay or too many sources."""
        plain = self._open(self._unprotect, packet, 8)
        return plain if plain and len(plain) <= PACKET_LIMIT_BYTES else None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Decrypt a compound RTCP packet; None for a forgery, a replay or too many sources."""
        return self._open(self._unprotect_rtcp, packet, 4)

    def _open(
        self, unprotect: Callable[[bytes], bytes], packet: bytes, offset: int
    ) -> bytes | None:
        """Decrypt; the SSRC at `offset` counts once it is proven: libsrtp keeps state for each."""
        if len(packet) < offset + 4:
            return None
        (source,) = unpack_from("!I", packet, offset)
        known = source in self._sources
        if not known and len(self._sources) >= SOURCE_LIMIT:
            return None
        try:
            plain = unprotect(packet)
        except REFUSED:
            return None
        if not known:
            self._sources.add(source)
        return plain


class DtlsHandshake:
    """One association, this side passive."""

    role: Final = "controlled"

    def __init__(
        self,
        certificate: RTCCertificate,
        fingerprints: Sequence[tuple[str, str]],
        send: Callable[[bytes], None],
    ) -> None:
        self._send_datagram = send
        self._expected = RTCDtlsParameters([RTCDtlsFingerprint(a, v) for a, v in fingerprints])
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._over = asyncio.Event()
        # The handshake itself stands in for the ICE transport: aiortc asks it for these three.
        self._transport = RTCDtlsTransport(cast("RTCIceTransport", self), [certificate])
        self._transport._set_role("server")
        self._transport._srtp_profiles = PROFILES
        self._transport.add_listener("statechange", self._on_state)

    def receive(self, datagram: bytes) -> None:
        """A DTLS datagram came from the peer; beyond a bound it is dropped."""
        if self._inbox.qsize() < BACKLOG:
            self._inbox.put_nowait(datagram)

    async def run(self, connected: Callable[[Ciphers], None]) -> None:
        """Shake hands, call `connected`, return when the association has ended."""
        transport = self._transport
        try:
            await transport.start(self._expected)
            if transport.state == "connected":
                connected(SrtpCiphers(transport._rx_srtp, transport._tx_srtp))
                await self._over.wait()
        finally:
            await transport.stop()

    def close(self) -> None:
        """Let `run` come to its end."""
        self._over.set()
        if self._transport.state != "connected":
            self._inbox.put_nowait(None)

    def _on_state(self) -> None:
        if self._transport.state in ("closed", "failed"):
            self._over.set()

    async def _recv(self) -> bytes:
        datagram = await self._inbox.get()
        if datagram is None:
            raise ConnectionError("the session is over")
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._send_datagram(datagram)


class Dtls:
    """Makes handshakes with this node's certificate, and renews it before it expires."""

    def __init__(self) -> None:
        self._certificate = RTCCertificate.generateCertificate()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that the next handshake shows."""
        now = datetime.datetime.now(datetime.UTC)
        if self._certificate.expires - now < RENEW_BEFORE:
            self._certificate = RTCCertificate.generateCertificate()
        fingerprints = self._certificate.getFingerprints()
        return next(f.value for f in fingerprints if f.algorithm == "sha-256")

    def handshake(
        self, fingerprints: Sequence[tuple[str, str]], send: Callable[[bytes], None]
    ) -> Handshake:
        """A new association with a peer that must show one of these certificates."""
        return DtlsHandshake(self._certificate, fingerprints, send)
