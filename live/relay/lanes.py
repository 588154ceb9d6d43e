"""A show's lanes: one for its sound, one for each layer of its picture.

They outlive publishers: who takes over goes on in the same lanes as long as viewers' decoders
can, and in new ones when they cannot. All layers of the picture share their SSRCs.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from live.relay.core.lane import Lane
from live.relay.core.layers import Layer
from signaling.ports import Codec, Kind, StreamTrack, Track

FIRST_NUMBER: Final = 0x10000
"""Extended numbers begin after the first cycle, so that none is ever negative."""

_CONSTRAINED_BASELINE: Final = re.compile(r"42[4-7c-f]0|4d[89a-f]0|58[c-f]0")
"""Its spellings as profile_idc and profile-iop (RFC 6184 §8.1, table 5)."""
PROFILES: Final = {"VP9": ("profile-id", "0"), "AV1": ("profile", "0"), "H265": ("profile-id", "1")}
"""The parameter that names a profile, and what it is where an offer leaves it out (RFC 9628 §7,
RTP Payload Format for AV1 §7.2, RFC 7798 §7.1)."""


class Lanes:
    """The lanes; `video` and `audio` are empty while nothing of that kind was published.

    `epoch`: the moment, in seconds, at which all their timestamps were zero.
    """

    def __init__(self, epoch: float) -> None:
        self.video: list[Lane] = []
        self.audio: list[Lane] = []
        self._epoch = epoch

    def __iter__(self) -> Iterator[Lane]:
        yield from self.video
        yield from self.audio

    def of(self, kind: Kind) -> list[Lane]:
        """The lanes of one kind."""
        return self.video if kind == "video" else self.audio

    def find(self, kind: Kind, layer: int) -> Lane | None:
        """One lane; None where there is no such layer."""
        lanes = self.of(kind)
        return lanes[layer] if layer < len(lanes) else None

    def tracks(self) -> tuple[StreamTrack, ...]:
        """What a viewer can get."""
        return tuple(
            StreamTrack(kind, lane.codec, lane.ssrc, lane.rtx_ssrc if kind == "video" else None)
            for kind in ("video", "audio")
            if (lane := self.find(kind, 0)) is not None
        )

    def carry_on(self, tracks: Sequence[Track]) -> bool:
        """Whether a new publisher's tracks go on where the last one's ended.

        When viewers cannot decode them as they decode the present ones nothing changes.
        """
        given = {track.kind: decoder(track.codec) for track in tracks}
        present = {t.kind: decoder(t.codec) for t in self.tracks()}
        if given != present:
            return False
        for lane in self:
            lane.restart()
        for track in tracks:
            for lane in self.of(track.kind)[len(track.layers) or 1 :]:
                lane.fall_silent()
        self._widen(tracks)
        return True

    def begin(self, tracks: Sequence[Track]) -> None:
        """New lanes, for tracks that the present ones cannot carry."""
        self.clear()
        for track in tracks:
            self.of(track.kind).append(self._lane(track.codec))
        self._widen(tracks)

    def clear(self) -> None:
        """No lanes; who holds on to the old lists can tell them from new ones."""
        self.video, self.audio = [], []

    def flowing(self, now: float) -> list[Layer]:
        """The layers of the picture that bring packets, as they are now."""
        return [
            Layer(n, lane.bitrate, lane.height)
            for n, lane in enumerate(self.video)
            if lane.flows(now)
        ]

    def measure(self, now: float) -> None:
        """Note every lane's bitrate."""
        for lane in self:
            lane.measure(now)

    def _widen(self, tracks: Sequence[Track]) -> None:
        """A lane for each layer."""
        for track in tracks:
            lanes = self.of(track.kind)
            while len(lanes) < len(track.layers):
                lanes.append(self._lane(track.codec, lanes[0]))

    def _lane(self, codec: Codec, beside: Lane | None = None) -> Lane:
        """A lane with sources of its own, or with those of its sibling layer."""
        ssrc, rtx_ssrc = (secrets.randbelow(0xFFFFFFF0) + 2 for _ in range(2))
        if beside is not None:
            ssrc, rtx_ssrc = beside.ssrc, beside.rtx_ssrc
        first = FIRST_NUMBER + secrets.randbelow(0x8000)
        return Lane(codec, ssrc, rtx_ssrc, first, self._epoch)


def decoder(codec: Codec) -> tuple[str, str]:
    """What must be the same for a viewer's decoder to go on: the codec and its profile; H.264's
    level may differ, and the spelling of its profile (RFC 6184 §8.1)."""
    name, given = codec.name.upper(), codec.parameters
    if name == "H264":
        profile = given.get("profile-level-id", "").lower()[:4]
        return name, "42e0" if _CONSTRAINED_BASELINE.fullmatch(profile) else profile
    parameter, default = PROFILES.get(name, ("", ""))
    return name, given.get(parameter, default)
