"""The answer as text (RFC 8866, RFC 8829 §5.3): what was decided, written down and no more.

Bundled, multiplexed, DTLS passive, ICE-lite; every candidate is in the first section. What the
offer did not bring (mid, group, reduced-size RTCP) the answer does not bring either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from signaling.core.sdp import Description, Section
from signaling.ports import Codec, Stream, StreamTrack

TYPE_PREFERENCE: Final = {
    ("host", "udp"): 126,
    ("srflx", "udp"): 100,
    ("host", "tcp"): 90,
    ("srflx", "tcp"): 80,
}
"""RFC 8445 §5.1.2.2; whatever goes over UDP is better than anything over TCP (RFC 6544 §4.2)."""
LOCAL_PREFERENCE: Final = {"udp": 0xFFFF, "tcp": (4 << 13) + 0x1FFF}
"""Of the first candidate; for TCP with the direction preference of passive ones."""

ICE_LINES: Final = ("a=ice-lite", "a=ice-options:trickle ice2")
"""Lite, as of RFC 8445 (§10), and candidates may trickle in (RFC 8840 §4.1); the same for a
session's whole life (RFC 9725 §4.3.3)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address this server answers checks on."""

    host: str
    port: int
    transport: str
    """`udp`, or `tcp` for passive ICE-TCP (RFC 6544)."""
    base: tuple[str, int] | None = None
    """Of a server-reflexive candidate, our own address behind it."""


@dataclass(frozen=True, slots=True)
class Local:
    """This server's half of one session: ICE credentials, certificate, addresses best first."""

    session: int
    ufrag: str
    password: str
    fingerprint: str
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Answered:
    """One section's answer; without a codec it is inactive. `lines` follow the codec's."""

    section: Section
    direction: str
    codec: Codec | None
    lines: Sequence[str]


def write(offer: Description, local: Local, answered: Sequence[Answered]) -> str:
    """The whole description, a section for each that was offered, in the same order."""
    lines = ["v=0", f"o=- {local.session} 1 IN IP4 0.0.0.0", "s=-", "t=0 0", *ICE_LINES]
    if offer.bundle is not None:
        mids = (answer.section.first("mid") or "" for answer in answered)
        lines.append(f"a=group:BUNDLE {' '.join(mids)}")
    if offer.first("extmap-allow-mixed") is not None:
        lines.append("a=extmap-allow-mixed")
    for index, answer in enumerate(answered):
        lines += _section(local, answer, first=index == 0)
    return "\r\n".join(lines) + "\r\n"


def source_lines(stream: Stream, track: StreamTrack) -> list[str]:
    """Which SSRCs a viewer will get (RFC 5576, RFC 4588 §8); all tracks share one stream.

    Browsers take the first a=ssrc for the media, the second for its RTX.
    """
    ssrcs = [ssrc for ssrc in (track.ssrc, track.rtx_ssrc) if ssrc is not None]
    group = [f"a=ssrc-group:FID {track.ssrc} {track.rtx_ssrc}"] if len(ssrcs) > 1 else []
    return [
        f"a=msid:{stream.cname} {track.kind}",
        *group,
        *(f"a=ssrc:{ssrc} cname:{stream.cname}" for ssrc in ssrcs),
    ]


def feedback_lines(codec: Codec, kinds: Iterable[str]) -> list[str]:
    """Which RTCP feedback is agreed for a codec (RFC 4585 §4.2)."""
    return [f"a=rtcp-fb:{codec.payload_type} {kind}" for kind in kinds]


def _section(local: Local, answer: Answered, *, first: bool) -> list[str]:
    section, codec = answer.section, answer.codec
    formats = _formats(codec) if codec else " ".join(section.formats)
    mid = section.first("mid")
    return [
        f"m={section.kind} 9 {section.profile} {formats}",
        "c=IN IP4 0.0.0.0",
        *([f"a=mid:{mid}"] if mid is not None else []),
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        *(["a=rtcp-rsize"] if section.has("rtcp-rsize") else []),
        *(candidate_lines(local.candidates) if first else []),
        f"a={answer.direction}",
        *(_codec(codec) if codec else (f"a=rtpmap:{v}" for v in section.all("rtpmap"))),
        *answer.lines,
    ]


def _formats(codec: Codec) -> str:
    """Redundant audio comes first: senders take the first they can."""
    types = (codec.red_payload_type, codec.payload_type, codec.rtx_payload_type)
    return " ".join(str(pt) for pt in types if pt is not None)


def _codec(codec: Codec) -> list[str]:
    """What an offer tells of its own stream (sprop-…) is not said of ours (RFC 6184 §8.2.2, RFC
    7587 §6.1)."""
    pt, rtx, red = codec.payload_type, codec.rtx_payload_type, codec.red_payload_type
    channels = "/2" if codec.name == "opus" else ""
    lines = [f"a=rtpmap:{pt} {codec.name}/{codec.clock_rate}{channels}"]
    pairs = [(k, v) for k, v in codec.parameters.items() if not k.startswith("sprop-")]
    if pairs:
        lines.append(f"a=fmtp:{pt} " + ";".join(f"{k}={v}" if v else k for k, v in pairs))
    if rtx is not None:
        lines += [f"a=rtpmap:{rtx} rtx/{codec.clock_rate}", f"a=fmtp:{rtx} apt={pt}"]
    if red is not None:
        lines += [f"a=rtpmap:{red} red/{codec.clock_rate}{channels}", f"a=fmtp:{red} {pt}/{pt}"]
    return lines


def candidate_lines(candidates: Sequence[Candidate]) -> list[str]:
    """All candidates, best first, and the word that there are no more (RFC 8840 §8.2)."""
    return [*(_candidate(i, c) for i, c in enumerate(candidates)), "a=end-of-candidates"]


def _candidate(index: int, candidate: Candidate) -> str:
    """RFC 8839 §5.1; of one kind and transport, earlier ones are preferred (RFC 8445 §5.1.2)."""
    base, transport = candidate.base, candidate.transport
    kind = "host" if base is None else "srflx"
    highest, more = LOCAL_PREFERENCE[transport], ""
    if transport == "tcp":
        more = " tcptype passive"
    if base is not None:
        more = f" raddr {base[0]} rport {base[1]}" + more
    priority = TYPE_PREFERENCE[kind, transport] << 24 | (highest - index) << 8 | 255
    where = f"{transport} {priority} {candidate.host} {candidate.port}"
    return f"a=candidate:{index + 1} 1 {where} typ {kind}{more}"
