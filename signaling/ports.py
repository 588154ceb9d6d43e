"""What signaling exchanges with the house around it: facts about media, and two small protocols.

Signaling trusts and connects peers; it neither keeps nor forwards media. Whoever does implements
`Media` and gives a `Sink` for each session; signaling gives back a `Link` once the peer is there.
Every `now` is `time.monotonic()` in seconds. All calls happen on the event loop and must return
at once; a `Sink` must not raise, whatever a peer sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class Codec:
    """A negotiated codec: payload types as the peer numbers them, `parameters` as in a=fmtp.

    `red_payload_type`: redundant audio around it (RFC 2198), where both sides take it.
    """

    name: str
    clock_rate: int
    payload_type: int
    rtx_payload_type: int | None
    parameters: Mapping[str, str]
    red_payload_type: int | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One published track as agreed: SSRCs where the offer told them, header extension ids.

    `layers`: the rids of its simulcast layers in the order offered (RFC 8853), () for just one.
    `rsize`: feedback may travel without a report before it (RFC 5506).
    """

    kind: Kind
    mid: str
    codec: Codec
    ssrc: int | None
    rtx_ssrc: int | None
    twcc_id: int | None
    abs_send_time_id: int | None
    nack: bool
    pli: bool
    twcc: bool
    remb: bool
    layers: tuple[str, ...] = ()
    mid_id: int | None = None
    rid_id: int | None = None
    repaired_rid_id: int | None = None
    fir: bool = False
    rsize: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publisher will send: at most one track of each kind."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class StreamTrack:
    """A track as viewers get it; the codec's payload types are the publisher's own."""

    kind: Kind
    codec: Codec
    ssrc: int
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """A show's media as every viewer of it gets it."""

    cname: str
    tracks: tuple[StreamTrack, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """The payload types one viewer wants; None where it takes no such packets.

    `abs_send_time`: the id of the header extension it measures by (RFC 8285); with `remb` it
    tells how much it can take.
    """

    video: int | None
    rtx: int | None
    audio: int | None
    red: int | None = None
    abs_send_time: int | None = None
    remb: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """RTP packets that leave in one system call: of equal size, only the last may be shorter.

    `packets`: whole RTP packets, a header, which has an extension where the peer wants one, and
    the payload; at most 32 of them and 44,000 bytes.
    """

    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Plaintext RTP towards viewers, in sending order; one batch may go to many of them."""

    runs: Sequence[Run]

    @property
    def packets(self) -> list[bytes]:
        """All of its packets."""
        return [packet for run in self.runs for packet in run.packets]


class Link(Protocol):
    """A connected peer."""

    def send(self, batch: Batch) -> None:
        """Encrypt and send; what a full socket refuses is dropped and counted."""

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one plaintext compound RTCP packet."""

    def close(self) -> None:
        """End the session; its sink's `closed` follows."""


class Sink(Protocol):
    """One session, as the media side sees it."""

    def connected(self, link: Link, now: float) -> None:
        """ICE and DTLS are done."""

    def rtp(self, packet: bytes, now: float) -> None:
        """A decrypted RTP packet came from the peer."""

    def rtcp(self, packet: bytes, now: float) -> None:
        """A decrypted compound RTCP packet came from the peer."""

    def drained(self, now: float) -> None:
        """The socket is read empty for this wake-up."""

    def closed(self, now: float) -> None:
        """The session ended; nothing is called after this."""


class Media(Protocol):
    """Who keeps and forwards the media of shows."""

    def publish(self, show: str, session: str, publication: Publication) -> Sink:
        """A publisher is welcome; the newest of a show wins."""

    def stream(self, show: str) -> Stream | None:
        """What a viewer of the show can get here; None while nobody publishes here."""

    def subscribe(self, show: str, session: str, subscription: Subscription) -> Sink:
        """A viewer of `stream(show)` is welcome."""
