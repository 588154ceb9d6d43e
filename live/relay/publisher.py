"""A publisher's session: what comes from it is unwrapped and noted, what it must know is told.

Whose a packet is, `sources` knows; SSRCs the offer did not announce are welcome.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from live.relay.core import red, rtcp, rtp
from live.relay.core.compounds import CNAME, compounds
from live.relay.core.inlet import Inlet
from live.relay.core.receive_log import ReceiveLog
from live.relay.core.red import RED
from live.relay.core.remote_estimate import RemoteEstimate
from live.relay.core.round_trip import RoundTrip
from live.relay.core.rtp import Header
from live.relay.core.sources import Origin, Sources
from live.relay.core.twcc import TransportFeedback
from signaling.ports import Kind, Link, Publication

OUR_SSRC: Final = 1
TWCC_EVERY_S: Final = 0.06
REPORT_EVERY_S: Final = 1.0
SILENCE_S: Final = 5.0
"""Without a packet for so long the publisher is off the air."""


class Receiver(Protocol):
    """Who takes a publisher's media."""

    def live(self, publisher: "Publisher") -> None:
        """It is connected."""

    def packet(
        self,
        kind: Kind,
        layer: int,
        packet: bytes,
        head: Header,
        number: int,
        start: int,
        now: float,
        form: int = 0,
    ) -> None:
        """A media packet with its extended number; its payload begins at `start`.

        `form`: 0, or `RED` for redundant audio, whose blocks then are sound.
        """

    def renumbered(self, kind: Kind, layer: int) -> None:
        """The publisher's numbers of this kind begin anew."""

    def clocks(self, kind: Kind, layer: int, ntp: int, timestamp: int, now: float) -> None:
        """A sender report told its clocks."""

    def drained(self, now: float) -> None:
        """No more packets for this moment."""

    def gone(self, publisher: "Publisher", now: float) -> None:
        """Its session ended."""


class Publisher:
    """The sink of a publisher's session."""

    def __init__(self, publication: Publication, receiver: Receiver, session: str = "") -> None:
        self.publication = publication
        self.session = session
        self.link: Link | None = None
        self.heard_at: float | None = None
        self.ended = False
        self._receiver = receiver
        self.round_trip = RoundTrip()
        self.inlets = [
            Inlet(track, layer, self.round_trip)
            for track in publication.tracks
            for layer in range(len(track.layers) or 1)
        ]
        self._pictures = [inlet for inlet in self.inlets if inlet.kind == "video"]
        self._sources = Sources(publication.tracks)
        self._feedback = TransportFeedback()
        self._reduced = all(track.rsize for track in publication.tracks)
        self._twcc_id = next((t.twcc_id for t in publication.tracks if t.twcc), None)
        measured = [track for track in publication.tracks if track.remb]
        self._estimate = RemoteEstimate() if measured else None
        self._send_time_id = next((t.abs_send_time_id for t in measured), None)
        self._counted = (0, 0)
        self._due = {"twcc": 0.0, "report": 0.0}

    def connected(self, link: Link, now: float) -> None:
        """ICE and DTLS are done."""
        self.link = link
        self._receiver.live(self)

    def rtp(self, packet: bytes, now: float) -> None:
        """A packet of media, or a repetition of one."""
        head = rtp.parse(packet)
        if head is None or self.link is None:
            return
        if self._twcc_id is not None:
            transport_number = rtp.extension_u16(packet, head, self._twcc_id)
            if transport_number is not None:
                self._feedback.receive(transport_number, now)
        if self._estimate is not None:
            self._measure(self._estimate, packet, head, now)
        origin = self._sources.known(head) or self._meet(packet, head, now)
        if origin is None:
            return
        inlet = self.inlets[origin.inlet]
        if origin.form == "rtx":
            self._repaired(inlet, packet, head, now)
        else:
            form = RED if origin.form == "red" and head.start != head.stop else 0
            self._take(inlet, packet, head, head.sequence, head.start, now, form)

    def _measure(self, estimate: RemoteEstimate, packet: bytes, head: Header, now: float) -> None:
        identifier = self._send_time_id
        stamp = None if identifier is None else rtp.extension(packet, head, identifier)
        sent = int.from_bytes(stamp, "big") if stamp is not None and len(stamp) == 3 else None
        estimate.arrived(len(packet), sent, now)

    def _meet(self, packet: bytes, head: Header, now: float) -> Origin | None:
        """Learn an unknown SSRC that tells what it is, unless another is that already."""
        origin = self._sources.identify(packet, head)
        if origin is None:
            return None
        inlet = self.inlets[origin.inlet]
        if origin.form != "rtx" and (inlet.log is None or inlet.log.ssrc != head.ssrc):
            if not inlet.admits(now, named=origin.named):
                return None
            if inlet.log is None:
                inlet.begin(head.ssrc, now)
            else:
                self._begin_anew(inlet, head.ssrc, now)
        self._sources.learn(head, origin)
        return origin

    def _repaired(self, inlet: Inlet, packet: bytes, head: Header, now: float) -> None:
        """A repetition carries the number it repeats before the payload (RFC 4588 §4)."""
        start = head.start
        if inlet.log is not None and head.stop - start >= 2:
            number = packet[start] << 8 | packet[start + 1]
            self._take(inlet, packet, head, number, start + 2, now)

    def _take(
        self,
        inlet: Inlet,
        packet: bytes,
        head: Header,
        sequence: int,
        start: int,
        now: float,
        form: int = 0,
    ) -> None:
        repeated = start != head.start
        log = inlet.log
        assert log is not None
        self.heard_at = now
        if not repeated:  # what it has sent before, publishers send again to probe
            inlet.heard_at = now
        number = log.receive(sequence, head.timestamp, now, repeated)
        if log.renumbered:
            log = self._begin_anew(inlet, log.ssrc, now)
            number = log.receive(sequence, head.timestamp, now, repeated)
        if number is None:
            return
        codec_type = inlet.track.codec.payload_type
        if form == RED and not red.is_sound(packet[start : head.stop], codec_type):
            return
        self._receiver.packet(inlet.kind, inlet.layer, packet, head, number, start, now, form)

    def rtcp(self, packet: bytes, now: float) -> None:
        """Of a publisher's reports only its clocks matter."""
        for heard in rtcp.parse(packet) if self.link is not None else ():
            if isinstance(heard, rtcp.SenderReport):
                for inlet in self.inlets:
                    if inlet.log is not None and inlet.log.ssrc == heard.ssrc:
                        inlet.log.sender_report(heard.ntp, now)
                        self._receiver.clocks(
                            inlet.kind, inlet.layer, heard.ntp, heard.timestamp, now
                        )

    def drained(self, now: float) -> None:
        """The socket is read empty: ask for what is missing, pass on what came."""
        for inlet in self.inlets:
            if now >= inlet.repairs.next_at:
                self._send([inlet.feedback(OUR_SSRC, now)])
        self._receiver.drained(now)

    def closed(self, now: float) -> None:
        """The session ended."""
        self.link, self.ended = None, True
        self._receiver.gone(self, now)

    def dismiss(self) -> None:
        """Another took over: hear no more of it, then close its link."""
        link, self.link = self.link, None
        if link is not None:
            link.close()

    def on_air(self, now: float) -> bool:
        """Whether media flows."""
        return (
            self.link is not None
            and self.heard_at is not None
            and (now - self.heard_at < SILENCE_S)
        )

    def request_key_frame(self, layer: int, now: float, *, patient: bool = False) -> None:
        """Ask for a key frame of this layer as soon as may be, and each second until one comes.

        `patient`: it may take some seconds, if others asked lately.
        """
        if layer < len(self._pictures):
            inlet = self._pictures[layer]
            inlet.key_frames.want(patient=patient)
            self._send([inlet.key_frame_request(OUR_SSRC, now)])

    def key_frame_came(self, layer: int, now: float) -> None:
        """No need to ask any more."""
        self._pictures[layer].key_frames.came(now)

    def tick(self, now: float) -> None:
        """Send what is due: losses to repeat, arrival times, reports, key frame requests."""
        if self.link is None:
            return
        feedback = [inlet.feedback(OUR_SSRC, now) for inlet in self.inlets]
        if self._is_due("twcc", TWCC_EVERY_S, now) and (body := self._feedback.build()):
            media = next((i.log.ssrc for i in self._pictures if i.log is not None), 0)
            feedback.append(rtcp.transport_feedback(OUR_SSRC, media, body))
        self._send(feedback)
        if self._is_due("report", REPORT_EVERY_S, now):
            self._report(now)

    def _begin_anew(self, inlet: Inlet, ssrc: int, now: float) -> ReceiveLog:
        log = inlet.begin(ssrc, now)
        self._receiver.renumbered(inlet.kind, inlet.layer)
        inlet.key_frames.want()
        return log

    def _report(self, now: float) -> None:
        blocks = [inlet.log.report(now) for inlet in self.inlets if inlet.log is not None]
        if not blocks or self.link is None:
            return
        report = rtcp.receiver_report(OUR_SSRC, blocks) + rtcp.canonical_name(OUR_SSRC, CNAME)
        if self._estimate is not None:
            bitrate = self._estimate.conclude(self._share_lost(), now)
            report += rtcp.remb(OUR_SSRC, bitrate, [block.ssrc for block in blocks])
        self.link.send_rtcp(report)

    def _share_lost(self) -> float:
        """Of all packets since the last report."""
        lost = sum(inlet.lost for inlet in self.inlets)
        expected = sum(inlet.expected for inlet in self.inlets)
        lost_before, expected_before = self._counted
        self._counted = lost, expected
        return max(lost - lost_before, 0) / max(expected - expected_before, 1)

    def _send(self, feedback: Iterable[bytes]) -> None:
        if self.link is not None:
            for packet in compounds(OUR_SSRC, feedback, reduced=self._reduced):
                self.link.send_rtcp(packet)

    def _is_due(self, what: str, every: float, now: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True
