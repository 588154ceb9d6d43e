"""What a peer needs of the network and of cryptography: small protocols the adapters keep.

A `Source` identifies where datagrams come from, a `Path` leads back to one. A `Door` is a bound
socket, or an accepted connection, that opens paths.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from signaling.ports import Run

Source = Hashable


class Path(Protocol):
    """The way to one address of a peer. Neither call blocks; a full socket drops and counts."""

    def send(self, datagram: bytes) -> None:
        """Send one datagram."""

    def send_run(self, datagrams: memoryview, size: int) -> None:
        """Send what lies end to end as datagrams of `size` bytes; the last may be shorter."""


class Door(Protocol):
    """Where datagrams come in."""

    def open(self, source: Source) -> Path:
        """The path back to a source that came through this door."""

    def address(self, source: Source) -> tuple[str, int]:
        """Its host and port."""


class Ciphers(Protocol):
    """SRTP and SRTCP of one session (RFC 3711). No packet, however bad, makes a call raise."""

    def protect_run(self, run: Run) -> tuple[memoryview, int]:
        """Encrypt the packets of a run.

        They lie end to end in a room that the next call uses again; the number is the size of
        the first. One that cannot be encrypted is left out and counted.
        """

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """Encrypt a compound RTCP packet; None, and counted, when it cannot be."""

    def unprotect(self, packet: bytes) -> bytes | None:
        """Decrypt an RTP packet; None for a forgery, a replay or too many sources."""

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Decrypt a compound RTCP packet; None for a forgery, a replay or too many sources."""


class Handshake(Protocol):
    """The server's side of one DTLS association (RFC 5763, RFC 5764)."""

    def receive(self, datagram: bytes) -> None:
        """A DTLS datagram came from the peer; beyond a bound it is dropped."""

    async def run(self, connected: Callable[[Ciphers], None]) -> None:
        """Shake hands, call `connected` with the keys, and return when the association ends.

        Returns without calling when the peer fails or shows another certificate than announced.
        Tells the peer that it is over before it returns.
        """

    def close(self) -> None:
        """Let `run` come to its end."""


class Secure(Protocol):
    """Who makes handshakes."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our certificate, as in a=fingerprint."""

    def handshake(
        self, fingerprints: Sequence[tuple[str, str]], send: Callable[[bytes], None]
    ) -> Handshake:
        """A new association with a peer that must show one of these certificates."""
