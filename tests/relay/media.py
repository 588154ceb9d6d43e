"""Made media: packets as a publisher sends them, tracks, and links that remember."""

from collections.abc import Callable
from dataclasses import dataclass, field
from struct import pack, unpack_from

from live.relay.core.rtp import header
from signaling.ports import Batch, Codec, Publication, Subscription, Track

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE, RED_TYPE = 96, 97, 111, 63
VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC = 0x1111, 0x2222, 0x3333
SEND_TIME_ID, TWCC_ID, RID_ID, REPAIRED_RID_ID = 3, 5, 10, 11
LAYERS = ("q", "h", "f")
KEY = b"\x78\x00\x04\x67\x42\xe0\x1f\x00\x02\x68\xce\x00\x02\x65\x88"
"""H.264: parameters and an IDR slice in one STAP-A."""
DELTA = b"\x41\x9a\x00\x01"

H264 = Codec("H264", 90_000, VIDEO_TYPE, RTX_TYPE, {})
VP8 = Codec("VP8", 90_000, VIDEO_TYPE, RTX_TYPE, {})
VP9 = Codec("VP9", 90_000, VIDEO_TYPE, RTX_TYPE, {})
OPUS = Codec("opus", 48_000, AUDIO_TYPE, None, {})
OPUS_RED = Codec("opus", 48_000, AUDIO_TYPE, None, {}, RED_TYPE)
SUBSCRIPTION = Subscription(video=102, rtx=103, audio=109)


def track(
    codec: Codec, *, nack: bool = True, remb: bool = False, layers: tuple[str, ...] = ()
) -> Track:
    """A published track of this codec."""
    kind = "audio" if codec.name == "opus" else "video"
    return Track(
        kind="audio" if kind == "audio" else "video",
        mid=kind,
        codec=codec,
        ssrc=None,
        rtx_ssrc=None,
        twcc_id=TWCC_ID,
        abs_send_time_id=SEND_TIME_ID if remb else None,
        nack=nack,
        pli=True,
        twcc=not remb,
        remb=remb,
        layers=layers,
        rid_id=RID_ID if layers else None,
        repaired_rid_id=REPAIRED_RID_ID if layers else None,
    )


def publication(*codecs: Codec) -> Publication:
    """What a publisher of these codecs will send."""
    return Publication(tuple(track(codec) for codec in codecs or (H264, OPUS)))


def layered(layers: tuple[str, ...] = LAYERS, codec: Codec = H264) -> Publication:
    """What a publisher of several layers will send."""
    return Publication((track(codec, layers=layers), track(OPUS)))


def video(
    sequence: int, payload: bytes = DELTA, *, timestamp: int = 0, marker: bool = True
) -> bytes:
    """A packet of video."""
    return header(marker, VIDEO_TYPE, sequence, timestamp, VIDEO_SSRC) + payload


def audio(sequence: int, payload: bytes = b"opus") -> bytes:
    """A packet of audio."""
    return header(False, AUDIO_TYPE, sequence, sequence * 960, AUDIO_SSRC) + payload


def redundant(own: bytes, *before: bytes, payload_type: int = AUDIO_TYPE) -> bytes:
    """A payload of redundant audio: its own block, and those before it, the oldest first."""
    payload = b""
    for n, block in enumerate(before):
        offset = 960 * (len(before) - n)
        payload += pack(
            "!BHB", 0x80 | payload_type, offset << 2 | len(block) >> 8, len(block) & 255
        )
    return payload + pack("!B", payload_type) + b"".join(before) + own


def repeated(packet: bytes, sequence: int = 0) -> bytes:
    """A video packet, sent again as RTX (RFC 4588 §4)."""
    head = pack("!BBH", 0x80, packet[1] & 0x80 | RTX_TYPE, sequence & 0xFFFF)
    return head + packet[4:8] + pack("!I", RTX_SSRC) + packet[2:4] + packet[12:]


def named(packet: bytes, rid: str, identifier: int = RID_ID) -> bytes:
    """The packet, with the rid of its layer in its header (RFC 8852)."""
    return extended(packet, identifier, rid.encode())


def extended(packet: bytes, identifier: int, data: bytes) -> bytes:
    """The packet, with an extension of one-byte form in its header (RFC 8285 §4.2)."""
    element = pack("!B", identifier << 4 | len(data) - 1) + data
    element += bytes(-len(element) % 4)
    head = b"\x90" + packet[1:12] + pack("!HH", 0xBEDE, len(element) // 4)
    return head + element + packet[12:]


def from_source(packet: bytes, ssrc: int) -> bytes:
    """The packet, from another SSRC."""
    return packet[:8] + pack("!I", ssrc) + packet[12:]


def sequence_of(packet: bytes) -> int:
    """The 16-bit number of an RTP packet."""
    return int.from_bytes(packet[2:4], "big")


def timestamp_of(packet: bytes) -> int:
    """The timestamp of an RTP packet."""
    return int.from_bytes(packet[4:8], "big")


def ssrc_of(packet: bytes) -> int:
    """The SSRC of an RTP packet."""
    (ssrc,) = unpack_from("!I", packet, 8)
    return int(ssrc)


@dataclass(eq=False)
class FakeLink:
    """A peer that keeps what it is sent."""

    packets: list[bytes] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    closed: bool = False
    on_send: Callable[[], None] = lambda: None

    def send(self, batch: Batch) -> None:
        assert not self.closed
        self.packets += batch.packets
        self.on_send()

    def send_rtcp(self, packet: bytes) -> None:
        assert not self.closed
        self.reports.append(packet)

    def close(self) -> None:
        self.closed = True

    def of_type(self, payload_type: int) -> list[bytes]:
        """The packets of one payload type, as they came."""
        return [packet for packet in self.packets if packet[1] & 127 == payload_type]
