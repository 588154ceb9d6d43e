"""One peer's life: checked by ICE, secured by DTLS, then a link between the wire and a sink.

It begins with an answered offer and ends once, by whichever comes first: the peer's DELETE, the
media side's `close`, the end of the DTLS association, or the end of consent. A peer that does
not finish its handshake within `HANDSHAKE_S` is let go.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from signaling.core import stun
from signaling.core.ice_lite import Ignored, Nominated, Rejected
from signaling.core.ice_session import IceSession
from signaling.ports import Batch, Sink
from signaling.transport import Ciphers, Door, Handshake, Path, Secure, Source

HANDSHAKE_S: Final = 30.0

Role = Literal["publisher", "viewer"]


class Peer:
    """A session. `sources` of its ICE are the addresses whose datagrams belong to it."""

    def __init__(
        self,
        session: str,
        show: str,
        role: Role,
        ice: IceSession,
        sink: Sink,
        fingerprints: Sequence[tuple[str, str]],
        secure: Secure,
        ended: Callable[["Peer"], None],
        clock: Callable[[], float],
    ) -> None:
        self.session = session
        self.show = show
        self.role = role
        self.ice = ice
        self.sink = sink
        self.closed = False
        self._clock = clock
        self._ended = ended
        self._deadline = clock() + HANDSHAKE_S
        self._path: Path | None = None
        self._ciphers: Ciphers | None = None
        self._handshake: Handshake = secure.handshake(fingerprints, self._send_raw)

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._ciphers is not None

    async def run(self) -> None:
        """Shake hands and stay until the association ends; then the peer is closed."""
        try:
            await self._handshake.run(self._connected)
        finally:
            self.close()

    def check(self, message: stun.Message, source: Source, door: Door, now: float) -> bool:
        """Answer an ICE check; True when the source is known to belong to this peer."""
        if self.closed:
            return False
        host, port = door.address(source)
        decision = self.ice.receive(message, source, host, port, now)
        if isinstance(decision, Ignored):
            return False
        path = door.open(source)
        path.send(decision.datagram)
        if isinstance(decision, Rejected):
            return False
        if isinstance(decision, Nominated) or self._path is None:
            self._path = path
        return True

    def dtls(self, datagram: bytes) -> None:
        """A DTLS datagram came from a known source."""
        self._handshake.receive(datagram)

    def rtp(self, datagram: bytes, now: float) -> None:
        """An SRTP packet came from a known source."""
        if self._ciphers is not None and (packet := self._ciphers.unprotect(datagram)):
            self.sink.rtp(packet, now)

    def rtcp(self, datagram: bytes, now: float) -> None:
        """An SRTCP packet came from a known source."""
        if self._ciphers is not None and (packet := self._ciphers.unprotect_rtcp(datagram)):
            self.ice.renew(now)
            self.sink.rtcp(packet, now)

    def expired(self, now: float) -> bool:
        """Whether it vanished, or never finished connecting."""
        return self.ice.expired(now) or (self._ciphers is None and now > self._deadline)

    def send(self, batch: Batch) -> None:
        """Encrypt a batch and send it, run by run."""
        if self._ciphers is None or self._path is None:
            return
        protect_run, send_run = self._ciphers.protect_run, self._path.send_run
        for run in batch.runs:
            send_run(*protect_run(run))

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send a compound RTCP packet."""
        if self._ciphers is None or self._path is None:
            return
        if protected := self._ciphers.protect_rtcp(packet):
            self._path.send(protected)

    def close(self) -> None:
        """End the session; its sink hears of it once."""
        if self.closed:
            return
        self.closed = True
        self._ciphers = None
        self._handshake.close()
        self._ended(self)
        self.sink.closed(self._clock())

    def _connected(self, ciphers: Ciphers) -> None:
        if not self.closed:
            self._ciphers = ciphers
            self.sink.connected(self, self._clock())

    def _send_raw(self, datagram: bytes) -> None:
        if self._path is not None:
            self._path.send(datagram)
