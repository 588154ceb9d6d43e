"""What the relay tells of a show's media: bits and packets, losses, round trips, freezes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """One published layer, or the sound; counts are totals."""

    rid: str
    kind: str
    bitrate_bps: int
    packets: int
    lost: int
    jitter_ms: float
    nacks: int
    repaired: int
    key_frames: int
    key_frame_requests: int


@dataclass(frozen=True, slots=True)
class PublisherStatistics:
    """Who publishes: `video` and `audio` are the names of its codecs."""

    session: str
    video: str | None
    audio: str | None
    rtt_ms: float | None
    layers: tuple[LayerStatistics, ...]


@dataclass(frozen=True, slots=True)
class ViewerStatistics:
    """One viewer; `loss` is the share of the last report, `freezes` what its page counted."""

    session: str
    layer: str
    paused: bool
    bitrate_bps: int
    packets: int
    loss: float
    rtt_ms: float | None
    jitter_ms: float
    estimate_bps: int | None
    retransmissions: int
    key_frame_requests: int
    freezes: int
    frozen_s: float


@dataclass(frozen=True, slots=True)
class ShowStatistics:
    """One show on this node."""

    show: str
    publisher: PublisherStatistics | None
    viewers: tuple[ViewerStatistics, ...]
