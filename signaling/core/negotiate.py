"""Offer in, answer out: what a publisher may send here, what a viewer gets (RFC 8829, RFC 9725).

One video codec and Opus, bundled, multiplexed, DTLS passive, ICE-lite with every candidate in the
answer. Nothing is rejected in part: an offer is taken whole or refused whole (RFC 9725 §4.4).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from signaling.core.sdp import Description, Section
from signaling.errors import MalformedOffer, UnacceptableOffer
from signaling.ports import Codec, Kind, Publication, Stream, StreamTrack, Subscription, Track

TWCC_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME_URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
FINGERPRINT_ALGORITHMS: Final = frozenset({"sha-256", "sha-384", "sha-512"})

H264_PROFILES: Final = ("42e0", "4200", "4d00", "6400")
"""Profiles from the one every phone decodes to the one fewest do; others come after these."""

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address this server answers checks on."""

    host: str
    port: int
    transport: str
    """`udp`, or `tcp` for passive ICE-TCP (RFC 6544)."""


@dataclass(frozen=True, slots=True)
class Local:
    """This server's half of one session: ICE credentials, certificate, addresses best first."""

    session: int
    ufrag: str
    password: str
    fingerprint: str
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Remote:
    """The peer's half: its ICE fragment, and the certificates it may show as (algorithm, hex)."""

    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]


def remote_of(offer: Description) -> Remote:
    """The peer's credentials. Raises `MalformedOffer` when they are missing or absurd."""
    if not offer.media:
        raise MalformedOffer("no media section")
    head = offer.media[0]
    ufrag = head.first("ice-ufrag") or offer.first("ice-ufrag") or ""
    password = head.first("ice-pwd") or offer.first("ice-pwd") or ""
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise MalformedOffer("ice-ufrag or ice-pwd is missing or not as RFC 8839 has it")
    lines = list(head.all("fingerprint")) or [offer.first("fingerprint") or ""]
    fingerprints = tuple(_fingerprints(lines))
    if not fingerprints:
        raise MalformedOffer("no usable a=fingerprint")
    return Remote(ufrag, fingerprints)


def _fingerprints(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        algorithm, _, value = line.strip().partition(" ")
        if algorithm.lower() in FINGERPRINT_ALGORITHMS and _FINGERPRINT.fullmatch(value):
            yield algorithm.lower(), value.upper()


def publish(offer: Description, local: Local) -> tuple[str, Publication]:
    """Answer a publisher; the publication is what it will send.

    Raises `UnacceptableOffer` when it cannot be taken whole.
    """
    _check(offer, ("sendonly", "sendrecv"))
    tracks = tuple(_published(section) for section in offer.media)
    head = _head(offer, local)
    sections = [
        _section(local, index, section, "recvonly", track.codec, _publisher_lines(section, track))
        for index, (section, track) in enumerate(zip(offer.media, tracks, strict=True))
    ]
    return _text(head, sections), Publication(tracks)


def watch(offer: Description, local: Local, stream: Stream) -> tuple[str, Subscription]:
    """Answer a viewer of `stream`; the subscription holds the payload types it wants.

    Raises `UnacceptableOffer` when the viewer cannot play what is sent.
    """
    _check(offer, ("recvonly", "sendrecv"))
    tracks = {track.kind: track for track in stream.tracks}
    sections: list[list[str]] = []
    codecs: dict[str, Codec] = {}
    for index, section in enumerate(offer.media):
        track = tracks.get(_kind(section))
        if track is None:
            sections.append(_inactive(local, index, section))
            continue
        codec = _playable(section, track)
        codecs[track.kind] = codec
        lines = [*_feedback(section, codec, ("nack", "nack pli")), *_source_lines(stream, track)]
        sections.append(_section(local, index, section, "sendonly", codec, lines))
    if not codecs:
        raise UnacceptableOffer("the offer asks for nothing this show sends")
    video, audio = codecs.get("video"), codecs.get("audio")
    return _text(_head(offer, local), sections), Subscription(
        video=video.payload_type if video else None,
        rtx=video.rtx_payload_type if video else None,
        audio=audio.payload_type if audio else None,
    )


def _check(offer: Description, directions: Sequence[str]) -> None:
    """What both kinds of offers must keep (RFC 9725 §4.4)."""
    kinds = [_kind(section) for section in offer.media]
    if len(set(kinds)) != len(kinds):
        raise UnacceptableOffer("at most one audio and one video section")
    for section in offer.media:
        if section.direction not in directions:
            raise UnacceptableOffer(f"a media section is {section.direction}")
        if not section.has("rtcp-mux"):
            raise UnacceptableOffer("RTP and RTCP must be multiplexed (a=rtcp-mux)")
        setup = section.first("setup") or offer.first("setup")
        if setup not in ("actpass", "active"):
            raise UnacceptableOffer("a=setup must be actpass or active")
    mids = [section.first("mid") for section in offer.media]
    bundle = (offer.first("group") or "").split()
    if len(mids) > 1 and (bundle[:1] != ["BUNDLE"] or set(bundle[1:]) != set(mids)):
        raise UnacceptableOffer("all media sections must be bundled (a=group:BUNDLE)")


def _kind(section: Section) -> Kind:
    if section.kind == "audio":
        return "audio"
    if section.kind == "video":
        return "video"
    raise UnacceptableOffer(f"media of kind {section.kind[:40]} is not taken here")


def _codecs(section: Section) -> Iterator[Codec]:
    """The codecs a section lists, RTX folded into the codec it repairs (RFC 4588 §8)."""
    maps = dict(_numbered(section.all("rtpmap")))
    parameters = {pt: _parameters(text) for pt, text in _numbered(section.all("fmtp"))}
    repairs = {
        parameters.get(pt, {}).get("apt"): pt
        for pt, name in maps.items()
        if name.lower().startswith("rtx/")
    }
    for word in section.formats:
        if not word.isdecimal() or len(word) > 3 or (pt := int(word)) not in maps:
            continue
        name, _, rate = maps[pt].partition("/")
        clock_rate = rate.split("/")[0]
        if clock_rate.isdecimal() and len(clock_rate) < 8 and 0 <= pt <= 127:
            yield Codec(name, int(clock_rate), pt, repairs.get(word), parameters.get(pt, {}))


def _numbered(values: Iterable[str]) -> Iterator[tuple[int, str]]:
    for value in values:
        number, _, rest = value.partition(" ")
        if number.isdecimal() and len(number) <= 3:
            yield int(number), rest.strip()


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {key.lower(): value for key, _, value in pairs if key}


def _profile(codec: Codec) -> str:
    """The first two bytes of profile-level-id: profile and constraints (RFC 6184 §8.1)."""
    return codec.parameters.get("profile-level-id", "42001f").lower()[:4]


def _single_nal(codec: Codec) -> bool:
    return codec.parameters.get("packetization-mode", "0") != "1"


def _preference(codec: Codec) -> tuple[int, int] | None:
    """How much a published codec is wanted, least first; None when it is not carried."""
    name = codec.name.upper()
    if name == "OPUS" or (name == "VP8" and codec.clock_rate == 90_000):
        return 1, 0
    if name != "H264" or _single_nal(codec):
        return None
    profile = _profile(codec)
    rank = H264_PROFILES.index(profile) if profile in H264_PROFILES else len(H264_PROFILES)
    return 0, rank


def _published(section: Section) -> Track:
    kind = _kind(section)
    wanted = [(p, c) for c in _codecs(section) if (p := _preference(c)) is not None]
    if not wanted:
        raise UnacceptableOffer(f"no {kind} codec that is carried here: H264, VP8; opus")
    codec = min(wanted, key=lambda pair: pair[0])[1]
    feedback = _offered_feedback(section, codec)
    twcc_id = _extension(section, TWCC_URI)
    twcc = twcc_id is not None and "transport-cc" in feedback
    remb = not twcc and "goog-remb" in feedback
    ssrc, rtx_ssrc = _sources(section)
    return Track(
        kind=kind,
        mid=section.first("mid") or "",
        codec=codec,
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        twcc_id=twcc_id if twcc else None,
        abs_send_time_id=_extension(section, ABS_SEND_TIME_URI) if remb else None,
        nack="nack" in feedback,
        pli="nack pli" in feedback,
        twcc=twcc,
        remb=remb,
    )


def _playable(section: Section, track: StreamTrack) -> Codec:
    """The viewer's codec for a track: the same profile if it can, else any of the same name."""
    same = [
        codec
        for codec in _codecs(section)
        if codec.name.upper() == track.codec.name.upper()
        and (codec.name.upper() != "H264" or not _single_nal(codec))
    ]
    if not same:
        raise UnacceptableOffer(f"this show is sent as {track.codec.name}, which was not offered")
    return next((c for c in same if _profile(c) == _profile(track.codec)), same[0])


def _offered_feedback(section: Section, codec: Codec) -> frozenset[str]:
    numbered = (value.partition(" ") for value in section.all("rtcp-fb"))
    return frozenset(
        kind.strip() for pt, _, kind in numbered if pt in ("*", str(codec.payload_type))
    )


def _feedback(section: Section, codec: Codec, kinds: Iterable[str]) -> list[str]:
    offered = _offered_feedback(section, codec)
    return [f"a=rtcp-fb:{codec.payload_type} {kind}" for kind in kinds if kind in offered]


def _extension(section: Section, uri: str) -> int | None:
    for value in section.all("extmap"):
        number, _, rest = value.partition(" ")
        number = number.partition("/")[0]
        if rest.split(" ")[0] == uri and number.isdecimal() and 1 <= int(number[:4]) <= 255:
            return int(number)
    return None


def _sources(section: Section) -> tuple[int | None, int | None]:
    """The SSRC and RTX SSRC a section announces (RFC 5576); None where it does not."""
    words = next((g.split() for g in section.all("ssrc-group") if g.startswith("FID ")), None)
    found = words[1:3] if words else [line.split()[0] for line in section.all("ssrc") if line][:1]
    numbers = [int(word) for word in found if word.isdecimal() and len(word) <= 10]
    return (numbers[0] if numbers else None), (numbers[1] if len(numbers) > 1 else None)


def _publisher_lines(section: Section, track: Track) -> list[str]:
    wanted = {
        "nack": track.nack,
        "nack pli": track.pli,
        "transport-cc": track.twcc,
        "goog-remb": track.remb,
    }
    lines = _feedback(section, track.codec, (kind for kind, on in wanted.items() if on))
    if track.twcc_id is not None:
        lines.append(f"a=extmap:{track.twcc_id} {TWCC_URI}")
    if track.abs_send_time_id is not None:
        lines.append(f"a=extmap:{track.abs_send_time_id} {ABS_SEND_TIME_URI}")
    return lines


def _source_lines(stream: Stream, track: StreamTrack) -> list[str]:
    """RFC 5576; browsers take the first a=ssrc for the media, the second for its RTX."""
    lines = [f"a=msid:{stream.cname} {track.kind}"]
    if track.rtx_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {track.ssrc} {track.rtx_ssrc}")
    lines.append(f"a=ssrc:{track.ssrc} cname:{stream.cname}")
    if track.rtx_ssrc is not None:
        lines.append(f"a=ssrc:{track.rtx_ssrc} cname:{stream.cname}")
    return lines


def _head(offer: Description, local: Local) -> list[str]:
    mids = " ".join(section.first("mid") or "" for section in offer.media)
    lines = ["v=0", f"o=- {local.session} 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite"]
    if mids.strip():
        lines.append(f"a=group:BUNDLE {mids}")
    if offer.first("extmap-allow-mixed") is not None:
        lines.append("a=extmap-allow-mixed")
    return lines


def _section(
    local: Local, index: int, section: Section, direction: str, codec: Codec, lines: list[str]
) -> list[str]:
    pt, rtx = codec.payload_type, codec.rtx_payload_type
    formats = f"{pt} {rtx}" if rtx is not None else f"{pt}"
    channels = "/2" if codec.name.lower() == "opus" else ""
    answer = [
        f"m={section.kind} 9 {section.profile} {formats}",
        *_transport(local, index, section),
        f"a={direction}",
        f"a=rtpmap:{pt} {codec.name}/{codec.clock_rate}{channels}",
    ]
    if codec.parameters:
        answer.append(f"a=fmtp:{pt} " + ";".join(f"{k}={v}" for k, v in codec.parameters.items()))
    if rtx is not None:
        answer += [f"a=rtpmap:{rtx} rtx/{codec.clock_rate}", f"a=fmtp:{rtx} apt={pt}"]
    return answer + lines


def _inactive(local: Local, index: int, section: Section) -> list[str]:
    formats = " ".join(section.formats)
    maps = [f"a=rtpmap:{value}" for value in section.all("rtpmap")]
    return [
        f"m={section.kind} 9 {section.profile} {formats}",
        *_transport(local, index, section),
        "a=inactive",
        *maps,
    ]


def _transport(local: Local, index: int, section: Section) -> list[str]:
    lines = [
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.first('mid') or index}",
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        "a=rtcp-rsize",
    ]
    if index == 0:
        lines += [_candidate(i, c) for i, c in enumerate(local.candidates)]
        lines.append("a=end-of-candidates")
    return lines


def _candidate(index: int, candidate: Candidate) -> str:
    """RFC 8839 §5.1: host candidates, earlier ones preferred, UDP before TCP."""
    over_tcp = candidate.transport == "tcp"
    preference = (0 if over_tcp else 0x8000) + 0x7FFF - index
    priority = 126 << 24 | preference << 8 | 255
    line = f"a=candidate:{index + 1} 1 {candidate.transport} {priority} {candidate.host}"
    line += f" {candidate.port} typ host"
    return line + " tcptype passive" if over_tcp else line


def _text(head: list[str], sections: list[list[str]]) -> str:
    lines = head + [line for section in sections for line in section]
    return "\r\n".join(lines) + "\r\n"
