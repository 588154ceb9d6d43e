"""A viewer's session: started at the last key frame, then fed live, repaired when it asks."""

from collections.abc import Callable, Sequence
from typing import Final

from live.relay.core import rtcp
from live.relay.core.lane import HISTORY, LATE_MOST, Lane, retransmission
from live.relay.core.runs import batch
from signaling.ports import Link, Subscription

BURST_FIRST: Final = 64
"""Packets that go out at once when a viewer joins."""
BURST_TICK: Final = 64
"""Packets of the past that follow per tick, until the viewer has caught up."""
REPAIRS_PER_S: Final = 1_000
"""Retransmissions one viewer may have in a second; beyond, it is not answered."""


class Viewer:
    """The sink of a viewer's session; `cursor` is the next packet of the past it gets, None when
    it waits for a key frame."""

    def __init__(
        self,
        subscription: Subscription,
        video: Lane | None,
        audio: Lane | None,
        arrived: Callable[["Viewer", float], None],
        wants_key_frame: Callable[[], None],
        left: Callable[["Viewer"], None],
    ) -> None:
        self.subscription = subscription
        self.link: Link | None = None
        self.cursor: int | None = None
        self._lanes = {
            lane.ssrc: (lane, payload_type)
            for lane, payload_type in ((video, subscription.video), (audio, subscription.audio))
            if lane is not None and payload_type is not None
        }
        self._video = video
        self._audio = audio
        self._arrived = arrived
        self._wants_key_frame = wants_key_frame
        self._left = left
        self._rtx_sequence = 0
        self._repairs = (0.0, 0)

    def connected(self, link: Link, now: float) -> None:
        """ICE and DTLS are done: the first packets leave at once."""
        self.link = link
        self._arrived(self, now)

    def rtp(self, packet: bytes, now: float) -> None:
        """Viewers send no media."""

    def rtcp(self, packet: bytes, now: float) -> None:
        """Repair what is missed; pass on the wish for a key frame."""
        for heard in rtcp.parse(packet):
            if isinstance(heard, rtcp.Nack) and heard.ssrc in self._lanes:
                lane, payload_type = self._lanes[heard.ssrc]
                self._repair(lane, payload_type, heard.sequences, now)
            elif isinstance(heard, rtcp.KeyFrameRequest) and self.cursor is None:
                self._wants_key_frame()

    def drained(self, now: float) -> None:
        """Nothing waits here."""

    def closed(self, now: float) -> None:
        """The session ended."""
        self.link = None
        self._left(self)

    def watches(self, video: Lane | None, audio: Lane | None) -> bool:
        """Whether these are what it subscribed to; they change when a publisher's codecs do."""
        return self._video is video and self._audio is audio

    def dismiss(self) -> None:
        """Send it away: nothing more goes out, then the link closes."""
        link, self.link = self.link, None
        self._left(self)
        if link is not None:
            link.close()

    def catch_up(self, most: int) -> bool:
        """Send up to `most` packets of the past; True when it has come to the present."""
        lane, payload_type, cursor = self._video, self.subscription.video, self.cursor
        if lane is None or payload_type is None or cursor is None or self.link is None:
            return True
        stop = min(cursor + most, lane.head)
        found = (lane.recall(number) for number in range(cursor, stop))
        packets = [numbered(packet, payload_type) for packet in found if packet is not None]
        if packets:
            self.link.send(batch(packets))
        self.cursor = stop
        return stop == lane.head

    def _repair(self, lane: Lane, payload_type: int, missed: Sequence[int], now: float) -> None:
        began, count = self._repairs
        if now - began >= 1:
            began, count = now, 0
        rtx = self.subscription.rtx if lane is self._video else None
        most_behind = LATE_MOST if rtx is None else HISTORY
        packets = []
        for sequence in missed[: REPAIRS_PER_S - count]:
            packet = lane.recall_by_sequence(sequence, most_behind)
            if packet is None:
                continue
            if rtx is not None:
                packets.append(retransmission(packet, rtx, lane.rtx_ssrc, self._rtx_sequence))
                self._rtx_sequence += 1
            else:
                packets.append(numbered(packet, payload_type))
        self._repairs = (began, count + len(packets))
        if packets and self.link is not None:
            self.link.send(batch(packets))


def numbered(packet: bytes, payload_type: int) -> bytes:
    """The packet, whose payload type is 0, with a viewer's own."""
    return b"\x80" + bytes((packet[1] | payload_type,)) + packet[2:]
