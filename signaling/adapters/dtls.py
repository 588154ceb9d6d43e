"""DTLS-SRTP through aiortc's transport, and the SRTP ciphers it yields (RFC 5763, RFC 5764).

aiortc shakes hands, checks the certificate and derives the keys; packets never pass through it:
it sees only DTLS datagrams, and its SRTP sessions are used directly.
"""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import unpack_from
from typing import Any, Final, cast

import pylibsrtp
from aiortc import RTCCertificate, RTCIceTransport
from aiortc import rtcdtlstransport as aiortc_dtls
from aiortc.rtcdtlstransport import (
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from OpenSSL import SSL
from pylibsrtp import SRTP_MAX_TRAILER_LEN
from pylibsrtp._binding import ffi, lib

from signaling.ports import Run
from signaling.transport import Ciphers, Handshake

BACKLOG: Final = 32
"""DTLS datagrams that may wait to be read; more are dropped, DTLS repeats them."""
SOURCE_LIMIT: Final = 16
"""SSRCs one peer may send; packets of further ones are dropped."""
PACKET_LIMIT_BYTES: Final = 1_350
"""The longest plaintext packet that can be encrypted again with room for an RTX number."""
GCM_TAG_BYTES: Final = 16
SHA1_80_TAG_BYTES: Final = 10
"""What encryption adds to an RTP packet (RFC 7714 §5.2, RFC 5764 §4.1.2)."""
RENEW_BEFORE: Final = datetime.timedelta(days=7)

PROFILES: Final = [
    profile
    for name in ("SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80")
    if (profile := getattr(aiortc_dtls, name)) in aiortc_dtls.SRTP_PROFILES
]
"""Cheapest first: GCM of 128 bits costs two thirds of counter mode with SHA-1."""


REFUSED: Final = (pylibsrtp.Error, ValueError)
"""What libsrtp raises for a packet it does not take: the binding checks lengths by itself."""

LONGEST_BYTES: Final = 1_500 - SRTP_MAX_TRAILER_LEN
ROOM_BYTES: Final = 1 << 16
"""A run fits; of a longer one the rest is dropped."""
LAYOUTS: Final = 64
"""Runs whose layout is remembered while they go to one viewer after the other."""

_OK: Final = lib.srtp_err_status_ok
_ROOM_START: Final = ffi.new("char[]", ROOM_BYTES)
_ROOM: Final = memoryview(ffi.buffer(_ROOM_START))
"""Where every session encrypts: one at a time, on the event loop's thread."""


@lru_cache(LAYOUTS)
def _lay_out(run: Run, trailer: int) -> tuple[bytes, memoryview, int, list[tuple[Any, int]]] | None:
    """A run as it lies in the room before encryption: its bytes with room for the trailers, where
    they go, the size of its first datagram, and start and length of each packet. None when it
    does not fit."""
    plain, places = bytearray(), []
    for packet in run.packets:
        if len(packet) > LONGEST_BYTES:
            return None
        places.append((_ROOM_START + len(plain), len(packet)))
        plain += packet + bytes(trailer)
    if not places or len(plain) > ROOM_BYTES:
        return None
    return bytes(plain), _ROOM[: len(plain)], places[0][1] + trailer, places


class SrtpCiphers:
    """SRTP and SRTCP of one association; encryption adds `trailer` bytes to an RTP packet.

    `dropped`: packets that could not be encrypted.
    """

    def __init__(self, inward: pylibsrtp.Session, outward: pylibsrtp.Session, trailer: int) -> None:
        self.dropped = 0
        self._session = outward
        """Held because `_context` lives in it."""
        self._context = outward._srtp[0]
        self._trailer = trailer
        self._length = ffi.new("int *")
        self._protect_rtcp: Callable[[bytes], bytes] = outward.protect_rtcp
        self._unprotect: Callable[[bytes], bytes] = inward.unprotect
        self._unprotect_rtcp: Callable[[bytes], bytes] = inward.unprotect_rtcp
        self._sources: set[int] = set()

    def protect_run(self, run: Run) -> tuple[memoryview, int]:
        """Encrypt a run end to end; a packet that is too long or too old is left out and counted.

        Calls libsrtp where the packets are to lie: `Session.protect` copies each twice more.
        """
        layout = _lay_out(run, self._trailer)
        if layout is None:
            return self._protect_each(run)
        context, length, protect = self._context, self._length, lib.srtp_protect
        plain, room, size, places = layout
        room[:] = plain
        for start, plain_bytes in places:
            length[0] = plain_bytes
            if protect(context, start, length) != _OK:
                return self._protect_each(run)
        return room, size

    def _protect_each(self, run: Run) -> tuple[memoryview, int]:
        """The same for a run of which some packets are bad. Those that were encrypted before are
        encrypted again, to the same bytes: the sessions allow it."""
        stop = size = 0
        for packet in run.packets:
            length = self._length
            length[0] = len(packet)
            if length[0] <= LONGEST_BYTES and stop <= ROOM_BYTES - 1_500:
                _ROOM[stop : stop + len(packet)] = packet
                if lib.srtp_protect(self._context, _ROOM_START + stop, length) == _OK:
                    size = size or length[0]
                    stop += length[0]
                    continue
            self.dropped += 1
        return _ROOM[:stop], size

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
                assert transport._ssl is not None, "connected"
                suite = transport._ssl.get_selected_srtp_profile()
                trailer = GCM_TAG_BYTES if b"GCM" in suite else SHA1_80_TAG_BYTES
                connected(SrtpCiphers(transport._rx_srtp, transport._tx_srtp, trailer))
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


class NodeCertificate(RTCCertificate):
    """A certificate whose OpenSSL context all of its associations share: making one anew costs
    about as much as a handshake."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
        return self._context


class Dtls:
    """Makes handshakes with this node's certificate, and renews it before it expires."""

    def __init__(self) -> None:
        self._certificate = NodeCertificate.generateCertificate()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that the next handshake shows."""
        now = datetime.datetime.now(datetime.UTC)
        if self._certificate.expires - now < RENEW_BEFORE:
            self._certificate = NodeCertificate.generateCertificate()
        fingerprints = self._certificate.getFingerprints()
        return next(f.value for f in fingerprints if f.algorithm == "sha-256")

    def handshake(
        self, fingerprints: Sequence[tuple[str, str]], send: Callable[[bytes], None]
    ) -> Handshake:
        """A new association with a peer that must show one of these certificates."""
        return DtlsHandshake(self._certificate, fingerprints, send)
