"""Offers as Chromium writes them, and the SDP fragments of RFC 8840 §9."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from tests.conformance.requirements import Protocol
from tests.conformance.sdp import Description

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
H264: Final = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
CODECS: Final = {
    "audio": (
        *("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc"),
        "a=fmtp:111 minptime=10;useinbandfec=1",
    ),
    "video": (
        *("a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 goog-remb", "a=rtcp-fb:96 transport-cc"),
        *("a=rtcp-fb:96 ccm fir", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"),
        *("a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"),
        *("a=rtpmap:102 H264/90000", f"a=fmtp:102 {H264}"),
        *("a=rtcp-fb:102 goog-remb", "a=rtcp-fb:102 transport-cc", "a=rtcp-fb:102 ccm fir"),
        *("a=rtcp-fb:102 nack", "a=rtcp-fb:102 nack pli"),
        *("a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102"),
    ),
}  # fmt: skip
FORMATS: Final = {"audio": "111", "video": "96 97 102 103"}
EXTENSIONS: Final = (
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
)
SIMULCAST: Final = ("a=rid:h send", "a=rid:m send", "a=rid:l send", "a=simulcast:send h;m;l")
UNKNOWN_CODEC: Final = ("a=rtpmap:96 nobody-has-this/90000",)


def _fingerprint() -> str:
    return ":".join(f"{byte:02X}" for byte in secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class Transport:
    """The client's half: ICE credentials and the certificate it will show."""

    ufrag: str = field(default_factory=lambda: secrets.token_hex(4))
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    fingerprint: str = field(default_factory=_fingerprint)

    def again(self) -> "Transport":
        """The same certificate with new credentials, for an ICE restart."""
        return Transport(fingerprint=self.fingerprint)


def offer(
    protocol: Protocol,
    transport: Transport,
    kinds: tuple[str, ...] = ("audio", "video"),
    *,
    streams: tuple[str, ...] = (),
    simulcast: bool = False,
) -> str:
    """What a client POSTs: to send for WHIP, to receive for WHEP.

    `streams`: the msid stream of each section, all the same by default.
    """
    mids = range(len(kinds))
    lines = [
        *("v=0", f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"),
        f"a=group:BUNDLE {' '.join(map(str, mids))}",
        *("a=extmap-allow-mixed", "a=msid-semantic: WMS"),
    ]
    for mid, kind in enumerate(kinds):
        stream = streams[mid] if streams else "the-stream"
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {FORMATS[kind]}",
            *("c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"),
            *(f"a=ice-ufrag:{transport.ufrag}", f"a=ice-pwd:{transport.password}"),
            "a=ice-options:trickle",
            f"a=fingerprint:sha-256 {transport.fingerprint}",
            *("a=setup:actpass", f"a=mid:{mid}"),
            *(EXTENSIONS if kind == "video" else EXTENSIONS[:3]),
            "a=sendonly" if protocol == "whip" else "a=recvonly",
            *([f"a=msid:{stream} {kind}-{mid}"] if protocol == "whip" else []),
            *("a=rtcp-mux", "a=rtcp-mux-only", "a=rtcp-rsize"),
            *CODECS[kind],
            *(SIMULCAST if simulcast and kind == "video" else ()),
        ]
    return "\r\n".join(lines) + "\r\n"


def with_unknown_video(text: str) -> str:
    """The offer with a video section whose only codec nobody has."""
    head, _, video = text.partition("m=video")
    kept = [
        line
        for line in video.split("\r\n")
        if not line.startswith(("a=rtpmap", "a=fmtp", "a=rtcp-fb"))
    ]
    kept[0] = " 9 UDP/TLS/RTP/SAVPF 96"
    return head + "m=video" + "\r\n".join([*kept[:-1], *UNKNOWN_CODEC, ""])


def turned(text: str, direction: str) -> str:
    """The offer with another direction in every section."""
    return text.replace("a=sendonly", f"a={direction}").replace("a=recvonly", f"a={direction}")


def fragment(transport: Transport, *candidates: str) -> str:
    """A fragment of the first section: a restart when the credentials are new ones."""
    lines = [
        *(
            "a=ice-options:trickle",
            "a=group:BUNDLE 0 1",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=mid:0",
        ),
        *(f"a=ice-ufrag:{transport.ufrag}", f"a=ice-pwd:{transport.password}"),
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def host(address: str, port: int) -> str:
    """A UDP host candidate."""
    return f"1387637174 1 udp 2122260223 {address} {port} typ host generation 0"


MDNS: Final = host("6b6b6f74-0000-4000-8000-000000000001.local", 50_001)
UNKNOWN_TRANSPORT: Final = "1387637175 1 quic 2122260222 192.0.2.7 50002 typ host"


def answer(offered: Description, transport: Transport) -> str:
    """A player's answer to the server's own offer: the first codec of each section, received."""
    mids = [section.first("mid") or "0" for section in offered.media]
    lines = [
        *("v=0", f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"),
        f"a=group:BUNDLE {' '.join(mids)}",
    ]
    for mid, section in zip(mids, offered.media, strict=True):
        head, number = section.lines[0].split(), section.formats[0]
        kept = [
            line
            for line in section.lines
            if line.startswith((f"a=rtpmap:{number} ", f"a=fmtp:{number} "))
        ]
        lines += [
            " ".join([head[0], "9", head[2], number]),
            *("c=IN IP4 0.0.0.0", f"a=mid:{mid}"),
            *(f"a=ice-ufrag:{transport.ufrag}", f"a=ice-pwd:{transport.password}"),
            f"a=fingerprint:sha-256 {transport.fingerprint}",
            *("a=setup:active", "a=recvonly", "a=rtcp-mux", "a=rtcp-mux-only"),
            *kept,
        ]
    return "\r\n".join(lines) + "\r\n"
