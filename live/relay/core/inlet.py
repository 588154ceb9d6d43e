"""One layer of a published track, or a track that has none: its source and what it is owed."""

from typing import Final

from live.relay.core import rtcp
from live.relay.core.key_frame_requests import KeyFrameRequests
from live.relay.core.receive_log import ReceiveLog
from live.relay.core.repairs import Repairs
from live.relay.core.round_trip import RoundTrip
from signaling.ports import Track

TAKEOVER_S: Final = 1.0
"""A source of the same payload type takes over when the old one was silent for so long; one that
names the layer does at once, but sources do not change more often than this."""

SILENCE_S: Final = 1.0
"""A layer that brought nothing for so long is not asked for key frames."""


class Inlet:
    """The arrivals of one layer; `log` is None before the first. Counts are of all its sources."""

    def __init__(self, track: Track, layer: int, round_trip: RoundTrip) -> None:
        self.track = track
        self.kind = track.kind
        self.layer = layer
        self.log: ReceiveLog | None = None
        self.heard_at = 0.0
        self.repairs = Repairs(round_trip, asks=track.nack)
        self.key_frames = KeyFrameRequests(track)
        self._began_at = 0.0
        self._lost_before = self._expected_before = 0

    @property
    def lost(self) -> int:
        """Packets that did not come by themselves."""
        return self._lost_before + (0 if self.log is None else self.log.lost)

    @property
    def expected(self) -> int:
        """Packets that were sent, as far as is known."""
        return self._expected_before + (0 if self.log is None else self.log.expected)

    def admits(self, now: float, *, named: bool) -> bool:
        """Whether another source may speak for this layer now."""
        since = self._began_at if named else self.heard_at
        return self.log is None or now - since >= TAKEOVER_S

    def begin(self, ssrc: int, now: float) -> ReceiveLog:
        """A source begins to count."""
        self._lost_before, self._expected_before = self.lost, self.expected
        self.repairs.forget()
        codec = self.track.codec
        self.log = ReceiveLog(
            ssrc,
            codec.clock_rate,
            self.repairs,
            repeats_as_rtx=codec.rtx_payload_type is not None,
        )
        self._began_at = now
        return self.log

    def feedback(self, sender: int, now: float) -> bytes:
        """What is missing and asked for again, and the key frame that is wanted, as RTCP."""
        log = self.log
        if log is None:
            return b""
        missing = self.repairs.due(now)
        told = rtcp.nack(sender, log.ssrc, missing) if missing else b""
        if self.repairs.gave_up:
            self.repairs.gave_up = False
            self.key_frames.want()
        return told + self.key_frame_request(sender, now)

    def key_frame_request(self, sender: int, now: float) -> bytes:
        """The request for a key frame, if one is wanted and may be asked for.

        Of several layers those are silent that a publisher has no room for; it begins them again
        with a key frame.
        """
        if self.log is None or self.kind != "video":
            return b""
        if self.track.layers and now - self.heard_at >= SILENCE_S:
            return b""
        return self.key_frames.due(sender, self.log.ssrc, now)
