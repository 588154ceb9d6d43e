"""A viewer's session: started at the last key frame, then fed live, repaired when it asks.

What it gets of the picture is a row of segments, each of one layer's lane and the rewriting that
makes it continue the one before. Numbers from before a switch are repaired from the lane they
came of.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from live.relay.core.bucket import Bucket
from live.relay.core.lane import HISTORY, LATE_MOST, Lane, retransmission
from live.relay.core.layers import LayerChoice, Sight
from live.relay.core.loss_share import LossShare
from live.relay.core.outgoing import outgoing, outgoing_audio, send_time
from live.relay.core.path_reports import PathReports
from live.relay.core.repetitions import Repetitions
from live.relay.core.rtcp import KeyFrameRequest, Nack, ReceiverReport, Remb, parse
from live.relay.core.runs import batch
from live.relay.core.splice import AS_IT_IS, Place, Rewriting, splice
from signaling.ports import Link, Subscription

BURST_BYTES: Final = 80_000
"""Of the past so much may go out at once: a whole key frame, mostly."""
BURST_PACKETS: Final = 64
PACE_TIMES: Final = 4
"""The past is sent so many times as fast as it happened, until the viewer has caught up; where
it has told what it can take, not faster, but at least `PACE_LEAST_TIMES` as fast."""
PACE_LEAST_TIMES: Final = 2
PACE_LEAST_BPS: Final = 4_000_000
RTCP_PER_S: Final = 100
"""Compound packets of one viewer that are looked at in a second; the rest is dropped."""
SEGMENTS: Final = 4
PROBE_PACKETS: Final = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one lane; `begin` is the viewer's own extended number of its first packet."""

    layer: int
    lane: Lane
    rewriting: Rewriting
    begin: int


class Viewer:
    """The sink of a viewer's session; `cursor` is the next packet of the past it gets, None when
    it waits for a key frame or has come to the present."""

    def __init__(
        self,
        session: str,
        subscription: Subscription,
        video: Sequence[Lane],
        audio: Sequence[Lane],
        arrived: Callable[["Viewer", float], None],
        wants_key_frame: Callable[["Viewer"], None],
        left: Callable[["Viewer"], None],
    ) -> None:
        self.session = session
        self.subscription = subscription
        self.link: Link | None = None
        self.cursor: int | None = None
        self.segments: deque[Segment] = deque(maxlen=SEGMENTS)
        self.choice = LayerChoice()
        self.estimate: int | None = None
        self.loss = 0.0
        """The share of its packets it lost in the last second or two."""
        self.jitter = 0
        self.path = PathReports()
        self.ended = False
        self.paused = False
        self.paused_at = 0.0
        self.max_height: int | None = None
        self.probe_bps = 0
        self.packets = 0
        self.freezes = 0
        self.frozen_s = 0.0
        self.key_frame_requests = 0
        self._video = video
        self._audio = audio
        self._arrived = arrived
        self._wants_key_frame = wants_key_frame
        self._left = left
        self._ended: Place | None = None
        self.repetitions = Repetitions()
        self._past = Bucket(BURST_BYTES)
        self._rtx_sequence = 0
        self._repeated_from = 0
        self._losses = LossShare()
        self._second = 0.0
        self._compounds = 0

    @property
    def layer(self) -> int | None:
        """The layer of its picture; None before the first."""
        return self.segments[-1].layer if self.segments else None

    @property
    def rtt_s(self) -> float | None:
        """The round trip of its last report; None until one tells."""
        return self.path.rtt_s

    def connected(self, link: Link, now: float) -> None:
        """ICE and DTLS are done: the first packets leave at once."""
        self.link = link
        self._arrived(self, now)

    def rtp(self, packet: bytes, now: float) -> None:
        """Viewers send no media."""

    def rtcp(self, packet: bytes, now: float) -> None:
        """Repair what is missed; note what it can take; pass on the wish for a key frame."""
        if now - self._second >= 1:
            self._second, self._compounds = now, 0
        self._compounds += 1
        if self._compounds > RTCP_PER_S:
            return
        for heard in parse(packet):
            if isinstance(heard, Nack):
                self._repair(heard, now)
            elif isinstance(heard, Remb):
                self.estimate = heard.bitrate
            elif isinstance(heard, ReceiverReport):
                self._note_report(heard, now)
            elif isinstance(heard, KeyFrameRequest) and self.cursor is None:
                self.key_frame_requests += 1
                self._wants_key_frame(self)

    def drained(self, now: float) -> None:
        """Nothing waits here."""

    def closed(self, now: float) -> None:
        """The session ended."""
        self.link, self.ended = None, True
        self._left(self)

    def watches(self, video: Sequence[Lane], audio: Sequence[Lane]) -> bool:
        """Whether these are what it subscribed to; they change when a publisher's codecs do."""
        return self._video is video and self._audio is audio

    def sight(self) -> Sight:
        """What the choice of its layer goes by."""
        return Sight(self.estimate, self.loss, self.max_height, self.path.tidings)

    def dismiss(self) -> None:
        """Send it away: nothing more goes out, then the link closes."""
        link, self.link = self.link, None
        self._left(self)
        if link is not None:
            link.close()

    def turn_to(self, layer: int, number: int, now: float) -> None:
        """Go on with this layer from the key frame that begins at `number`."""
        self._past.fill(now)
        lane = self._video[layer]
        rewriting, self.cursor = AS_IT_IS, number
        if self.segments:
            last = self.segments[-1]
            place, self._ended = self._ended or last.lane.newest(), None
            first = lane.key_place(number)
            rewriting = splice(place, last.rewriting, first, lane.codec.name.upper())
            if lane.bitrate < last.lane.bitrate:
                # The path is full: repetitions of what the key frame replaces would keep it so.
                self._repeated_from = number + rewriting.sequence
        self.segments.append(Segment(layer, lane, rewriting, number + rewriting.sequence))

    def pause(self, now: float) -> None:
        """Its picture ends here; the next segment continues from this place."""
        self.paused_at = now
        if self.segments:
            lane, newest = self.segments[-1].lane, self.segments[-1].lane.newest()
            number = newest.number if self.cursor is None else self.cursor - 1
            self._ended = self._ended or Place(number, newest.timestamp, lane.recall(number))
        self.cursor, self.probe_bps = None, 0

    def catch_up(self, now: float) -> bool:
        """Send as much of the past as its pace allows; True when it has come to the present.

        One that falls behind the history is sent away: it has to begin anew.
        """
        payload_type, cursor = self.subscription.video, self.cursor
        if not self.segments or payload_type is None or cursor is None or self.link is None:
            return True
        segment = self.segments[-1]
        lane, rewriting = segment.lane, segment.rewriting
        if lane.head - cursor > HISTORY:
            self.dismiss()
            return True
        self._earn(lane.bitrate, now)
        extension, packets = self._extension(now), []
        stop = min(cursor + BURST_PACKETS, lane.head)
        while cursor < stop and self._past.has_any:
            packet = lane.recall(cursor)
            cursor += 1
            if packet is not None:
                self._past.spend(len(packet))
                packets.append(outgoing(rewriting.apply(packet), payload_type, extension))
        if packets:
            self.packets += len(packets)
            self.link.send(batch(packets))
        self.cursor = cursor
        return cursor == lane.head

    def probe(self, octets: int, now: float) -> None:
        """Send what it has got again as RTX, up to so many bytes: what it can take shows so."""
        rtx = self.subscription.rtx
        if rtx is None or self.link is None or not self.segments:
            return
        segment = self.segments[-1]
        packets = []
        for number in range(segment.lane.head - 1, segment.lane.head - PROBE_PACKETS, -1):
            packet = segment.lane.recall(number)
            if octets <= 0 or number < segment.rewriting.first:
                break
            if packet is not None:
                packets.append(self._again(segment, packet, rtx, now))
                octets -= len(packet)
        if packets:
            self.link.send(batch(packets))

    def _earn(self, bitrate: int, now: float) -> None:
        """Bytes it may be sent now, of a layer of so many bits per second."""
        pace = max(PACE_TIMES * bitrate, PACE_LEAST_BPS)
        if self.estimate is not None:
            pace = min(pace, max(self.estimate, PACE_LEAST_TIMES * bitrate))
        self._past.earn(pace, now)

    def _repair(self, nack: Nack, now: float) -> None:
        sound = self._audio and nack.ssrc == self._audio[0].ssrc
        if not sound and not (self.segments and nack.ssrc == self._video[0].ssrc):
            return
        lane = self._audio[0] if sound else self.segments[-1].lane
        self.repetitions.refresh(lane.bitrate, self.estimate, now)
        asked = nack.sequences[: self.repetitions.admit(len(nack.sequences))]
        find = self._heard_again if sound else self._seen_again
        packets = [packet for n in asked if (packet := find(n, now)) is not None]
        if packets and self.link is not None:
            self.link.send(batch(packets))

    def _heard_again(self, sequence: int, now: float) -> bytes | None:
        packet = self._audio[0].recall_by_sequence(sequence, LATE_MOST)
        wanted = self.subscription
        if packet is None or wanted.audio is None:
            return None
        if not self.repetitions.allow(-1 - sequence, len(packet), self.rtt_s, now):
            return None
        return outgoing_audio(packet, wanted.audio, wanted.red, self._extension(now))

    def _seen_again(self, sequence: int, now: float) -> bytes | None:
        """A picture's packet by the viewer's own number, if it was not repeated just now."""
        last, rtx = self.segments[-1], self.subscription.rtx
        newest = last.lane.head - 1 + last.rewriting.sequence
        behind = newest - sequence & 0xFFFF
        number = newest - behind
        if number < self._repeated_from or behind >= (LATE_MOST if rtx is None else HISTORY):
            return None
        segment = next((s for s in reversed(self.segments) if s.begin <= number), None)
        if segment is None and len(self.segments) == 1:
            segment = last
        if segment is None or self.subscription.video is None:
            return None
        packet = segment.lane.recall(number - segment.rewriting.sequence)
        if packet is None or not self.repetitions.allow(number, len(packet), self.rtt_s, now):
            return None
        if rtx is not None:
            return self._again(segment, packet, rtx, now)
        rewritten = segment.rewriting.apply(packet)
        return outgoing(rewritten, self.subscription.video, self._extension(now))

    def _again(self, segment: Segment, packet: bytes, rtx: int, now: float) -> bytes:
        rewritten = segment.rewriting.apply(packet)
        whole = retransmission(rewritten, 0, segment.lane.rtx_ssrc, self._rtx_sequence)
        self._rtx_sequence += 1
        return outgoing(whole, rtx, self._extension(now))

    def _extension(self, now: float) -> bytes:
        identifier = self.subscription.abs_send_time
        return b"" if identifier is None else send_time(identifier, now)

    def _note_report(self, report: ReceiverReport, now: float) -> None:
        for block in report.blocks:
            if not self._video or block.ssrc not in (self._video[0].ssrc, self._video[0].rtx_ssrc):
                continue
            self.path.note(block, now)
            if block.ssrc == self._video[0].ssrc:
                self._losses.note(block.highest, block.lost, now)
                self.loss, self.jitter = self._losses.share, block.jitter
