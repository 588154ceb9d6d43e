"""Offer in, answer out: what a publisher may send here, what a viewer gets (RFC 8829, RFC 9725).

One video codec and Opus. Nothing is rejected in part: an offer is taken whole or refused whole
(RFC 9725 §4.4). `codecs` reads what is offered, `answer` writes what is decided here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signaling.core import codecs, extensions, simulcast
from signaling.core.answer import (
    Answered,
    Local,
    feedback_lines,
    source_lines,
    write,
)
from signaling.core.sdp import Description, Section
from signaling.errors import MalformedOffer, UnacceptableOffer
from signaling.ports import Codec, Kind, Publication, Stream, StreamTrack, Subscription, Track

FINGERPRINT_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")
_MID = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,64}")
_PROFILE = re.compile(r"RTP/S?AVPF?|(UDP|TCP)/(D?TLS)/RTP/SAVPF?")
_SSRC_LIMIT: Final = 1 << 32
VIEWER_FEEDBACK: Final = ("nack", "nack pli", "ccm fir", "goog-remb")
"""What viewers may tell. Transport-wide feedback is not asked of them: so many more packets."""


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
    lines = list(head.all("fingerprint")) or list(offer.all("fingerprint"))
    fingerprints = tuple(_fingerprints(lines))
    if not fingerprints:
        raise MalformedOffer("no usable a=fingerprint")
    return Remote(ufrag, fingerprints)


def publish(offer: Description, local: Local) -> tuple[str, Publication]:
    """Answer a publisher; the publication is what it will send.

    Raises a `SignalingError` when it cannot be taken whole.
    """
    _check(offer, ("sendonly", "sendrecv"))
    tracks = tuple(_published(section) for section in offer.media)
    _check_payload_types(track.codec for track in tracks)
    answered = [
        Answered(
            *(section, "recvonly", codecs.received(track.codec)), _publisher_lines(section, track)
        )
        for section, track in zip(offer.media, tracks, strict=True)
    ]
    return write(offer, local, answered), Publication(tracks)


def watch(offer: Description, local: Local, stream: Stream) -> tuple[str, Subscription]:
    """Answer a viewer of `stream`; the subscription holds the payload types it wants.

    Raises a `SignalingError` when the viewer cannot play what is sent.
    """
    _check(offer, ("recvonly", "sendrecv"))
    tracks = {track.kind: track for track in stream.tracks}
    chosen = {
        kind: _playable(section, tracks[kind])
        for section in offer.media
        if (kind := _kind(section)) in tracks
    }
    if not chosen:
        raise UnacceptableOffer("the offer asks for nothing this show sends")
    _check_payload_types(chosen.values())
    subscription = _subscription(offer, chosen)
    answered = []
    for section in offer.media:
        kind = _kind(section)
        if kind not in chosen:
            answered.append(Answered(section, "inactive", None, ()))
            continue
        lines = _viewer_lines(section, chosen[kind], subscription)
        repaired = chosen[kind].rtx_payload_type is not None
        track = tracks[kind] if repaired else replace(tracks[kind], rtx_ssrc=None)
        lines += source_lines(stream, track)
        answered.append(Answered(section, "sendonly", chosen[kind], lines))
    return write(offer, local, answered), subscription


def _check(offer: Description, directions: Sequence[str]) -> None:
    """What both kinds of offers must keep (RFC 9725 §4.4)."""
    kinds = [_kind(section) for section in offer.media]
    if len(set(kinds)) != len(kinds):
        raise UnacceptableOffer("at most one audio and one video section")
    for section in offer.media:
        if not _PROFILE.fullmatch(section.profile):
            raise UnacceptableOffer("media must be UDP/TLS/RTP/SAVPF")
        if section.direction not in directions:
            raise UnacceptableOffer(f"a media section is {section.direction}")
        if not section.has("rtcp-mux"):
            raise UnacceptableOffer("RTP and RTCP must be multiplexed (a=rtcp-mux)")
        setup = section.first("setup") or offer.first("setup")
        if setup not in ("actpass", "active"):
            raise UnacceptableOffer("a=setup must be actpass or active")
    _check_bundle(offer)


def _check_bundle(offer: Description) -> None:
    """One transport for all sections (RFC 8843), each with its own identification tag."""
    mids = [section.first("mid") for section in offer.media]
    if any(mid is not None and not _MID.fullmatch(mid) for mid in mids):
        raise MalformedOffer("a=mid is not a token")
    if offer.bundle is None and len(mids) == 1:
        return
    if offer.bundle is None or set(offer.bundle) != set(mids) or len(set(mids)) != len(mids):
        raise UnacceptableOffer("all media sections must be bundled (a=group:BUNDLE)")


def _check_payload_types(agreed: Iterable[Codec]) -> None:
    """What one transport carries must be told apart by payload type (RFC 9143 §9.1.1): neither
    sound and picture nor what repeats them may share one, whatever SSRCs are announced."""
    seen: set[int] = set()
    for codec in agreed:
        for number in (codec.payload_type, codec.rtx_payload_type, codec.red_payload_type):
            if number is None:
                continue
            if number in seen:
                raise UnacceptableOffer(f"payload type {number} is of audio and of video")
            seen.add(number)


def _kind(section: Section) -> Kind:
    if section.kind == "audio":
        return "audio"
    if section.kind == "video":
        return "video"
    raise UnacceptableOffer(f"media of kind {section.kind[:40]} is not taken here")


def _published(section: Section) -> Track:
    kind = _kind(section)
    offered = codecs.offered(section)
    if not offered:
        raise UnacceptableOffer(f"no {kind} codec that is carried here: {codecs.names(kind)}")
    codec = codecs.asked(min(offered, key=codecs.preference))
    feedback = _feedback(section, codec)
    twcc_id = extensions.sent(section, extensions.TWCC)
    twcc = twcc_id is not None and "transport-cc" in feedback
    remb = not twcc and "goog-remb" in feedback
    layers = _layers(section, codec)
    ssrc, rtx_ssrc = (None, None) if layers else _sources(section)
    uris = (extensions.MID, extensions.RID, extensions.REPAIRED_RID)
    mid_id, rid_id, repaired_rid_id = (
        extensions.sent(section, uri) if layers else None for uri in uris
    )
    return Track(
        kind=kind,
        mid=section.first("mid") or "",
        codec=codec,
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        twcc_id=twcc_id if twcc else None,
        abs_send_time_id=extensions.sent(section, extensions.ABS_SEND_TIME) if remb else None,
        nack="nack" in feedback,
        pli="nack pli" in feedback,
        twcc=twcc,
        remb=remb,
        layers=tuple(layer.rid for layer in layers),
        mid_id=mid_id,
        rid_id=rid_id,
        repaired_rid_id=repaired_rid_id,
        fir="ccm fir" in feedback and "nack pli" not in feedback,
        rsize=section.has("rtcp-rsize"),
    )


def _layers(section: Section, codec: Codec) -> tuple[simulcast.Layer, ...]:
    """The simulcast layers that are taken; none where packets would not tell theirs."""
    if section.kind != "video" or extensions.sent(section, extensions.RID) is None:
        return ()
    return simulcast.layers(section, codec.payload_type)


def _publisher_lines(section: Section, track: Track) -> list[str]:
    """The feedback, header extensions and layers agreed with the sender of a track."""
    wanted = {
        "nack": track.nack,
        "nack pli": track.pli,
        "ccm fir": track.fir,
        "transport-cc": track.twcc,
        "goog-remb": track.remb,
    }
    numbers = (
        *(track.twcc_id, track.abs_send_time_id),
        *(track.mid_id, track.rid_id, track.repaired_rid_id),
    )
    return [
        *feedback_lines(track.codec, (kind for kind, on in wanted.items() if on)),
        *extensions.lines(section, *numbers),
        *simulcast.lines(_layers(section, track.codec)),
    ]


def _subscription(offer: Description, chosen: Mapping[Kind, Codec]) -> Subscription:
    """What a viewer gets of its codecs; send times only where it estimates by them."""
    video, audio = chosen.get("video"), chosen.get("audio")
    sections = [section for section in offer.media if _kind(section) in chosen]
    remb = video is not None and any(
        section.kind == "video" and "goog-remb" in _feedback(section, video) for section in sections
    )
    return Subscription(
        video=video.payload_type if video else None,
        rtx=video.rtx_payload_type if video else None,
        audio=audio.payload_type if audio else None,
        red=audio.red_payload_type if audio else None,
        abs_send_time=extensions.taken(sections, extensions.ABS_SEND_TIME) if remb else None,
        remb=remb,
    )


def _viewer_lines(section: Section, codec: Codec, subscription: Subscription) -> list[str]:
    """The feedback and header extensions agreed with a viewer."""
    feedback = _feedback(section, codec)
    return [
        *feedback_lines(codec, (kind for kind in VIEWER_FEEDBACK if kind in feedback)),
        *extensions.lines(section, subscription.abs_send_time),
    ]


def _playable(section: Section, track: StreamTrack) -> Codec:
    """The viewer's codec for a track. Raises `UnacceptableOffer` when it has none."""
    codec = codecs.playable(codecs.offered(section), track.codec)
    if codec is None:
        profile = codecs.profile(track.codec)
        sent = f"{track.codec.name} (profile {profile})" if profile else track.codec.name
        raise UnacceptableOffer(f"this show is sent as {sent}, which was not offered")
    return codec if track.rtx_ssrc is not None else replace(codec, rtx_payload_type=None)


def _fingerprints(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        algorithm, _, value = line.strip().partition(" ")
        size = FINGERPRINT_BYTES.get(algorithm.lower(), 0)
        if len(value) == 3 * size - 1 and _FINGERPRINT.fullmatch(value):
            yield algorithm.lower(), value.upper()


def _feedback(section: Section, codec: Codec) -> frozenset[str]:
    numbered = (value.partition(" ") for value in section.all("rtcp-fb"))
    return frozenset(
        kind.strip() for pt, _, kind in numbered if pt in ("*", str(codec.payload_type))
    )


def _sources(section: Section) -> tuple[int | None, int | None]:
    """The SSRC and RTX SSRC a section announces (RFC 5576); None where it does not."""
    for group in section.all("ssrc-group"):
        semantics, *words = group.split() or [""]
        if semantics == "FID" and len(words) == 2:
            return _number(words[0], _SSRC_LIMIT), _number(words[1], _SSRC_LIMIT)
    return _number((section.first("ssrc") or "").partition(" ")[0], _SSRC_LIMIT), None


def _number(word: str, limit: int) -> int | None:
    if not word.isdecimal() or len(word) > len(str(limit)):
        return None
    number = int(word)
    return number if number < limit else None
