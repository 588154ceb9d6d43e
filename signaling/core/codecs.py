"""The codecs that are carried, as an offer lists them, and which of them is wanted most.

What is carried is a table. A codec counts only when it is offered as its RFC has it: the right
kind of media, the clock rate, packets of a form that can be read here, and payload types that
cannot be taken for RTCP on a shared port.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signaling.core.sdp import Section
from signaling.ports import Codec, Kind


@dataclass(frozen=True, slots=True)
class Carried:
    """A codec that is carried, under the name the house uses.

    `needs`: parameters (name, default, value) without which its packets could not be read;
    `profile`: the parameter that tells its profile, and the default of that.
    """

    name: str
    kind: Kind
    clock_rate: int
    needs: tuple[tuple[str, str, str], ...] = ()
    profile: tuple[str, str] = ("", "")


CARRIED: Final = {
    codec.name.lower(): codec
    for codec in (
        Carried("H264", "video", 90_000, (("packetization-mode", "0", "1"),)),
        Carried("VP8", "video", 90_000),
        Carried("VP9", "video", 90_000, profile=("profile-id", "0")),
        Carried("AV1", "video", 90_000, profile=("profile", "0")),
        Carried(
            *("H265", "video", 90_000),
            needs=(("tx-mode", "SRST", "SRST"), ("sprop-max-don-diff", "0", "0")),
            profile=("profile-id", "1"),
        ),
        Carried("opus", "audio", 48_000),
    )
}

CONSTRAINED_BASELINE: Final = "42e0"
WANTED: Final = (
    *(("H264", CONSTRAINED_BASELINE), ("H264", "4200"), ("H264", "4d00")),
    *(("H264", "640c"), ("H264", "6400")),
    *(("VP8", ""), ("VP9", "0"), ("AV1", "0"), ("H265", "1")),
)
"""Codecs and profiles from the one every phone decodes in hardware to those that fewest browsers
play; any other comes after these."""
REDUNDANT: Final = {"opus": "red/48000/2"}
"""How redundancy around a codec is offered."""
H264_DEFAULT: Final = "42000a"
H264_LEVEL: Final = 51
"""The level that is received here, 5.1: what phones decode. The relay itself would take any."""
_LEVEL_1B_PROFILES: Final = frozenset({66, 77, 88})
"""Those whose constraint_set3_flag is a part of the level (RFC 6184 §8.2.2)."""

_PROFILE_LEVEL_ID = re.compile(r"[0-9a-f]{6}")


def offered(section: Section) -> list[Codec]:
    """The carried codecs of a section in its order, with what repairs them (RFC 4588 §8) and, for
    audio, repeats them (RFC 2198 §5) folded in."""
    maps = dict(_numbered(section.all("rtpmap")))
    parameters = {pt: _parameters(text) for pt, text in _numbered(section.all("fmtp"))}
    listed = [pt for word in section.formats if (pt := _payload_type(word)) in maps]
    around = {
        (maps[pt].lower(), payload_type): pt
        for pt in listed
        for payload_type in _wrapped(parameters.get(pt, {}))
    }
    codecs = (_codec(section, pt, maps[pt], parameters.get(pt, {})) for pt in listed)
    return [
        replace(
            codec,
            rtx_payload_type=around.get((f"rtx/{codec.clock_rate}", codec.payload_type)),
            red_payload_type=around.get((REDUNDANT.get(codec.name, ""), codec.payload_type)),
        )
        for codec in codecs
        if codec is not None
    ]


def preference(codec: Codec) -> int:
    """How much a published codec is wanted, least first."""
    known = codec.name, profile(codec)
    if codec.name == "opus":
        return 0
    return WANTED.index(known) if known in WANTED else len(WANTED)


def playable(offered: Sequence[Codec], sent: Codec) -> Codec | None:
    """The viewer's codec for what is sent: the same profile if it can; None when it cannot play.

    Whoever plays H.264 plays the profiles in use, whichever it lists. Other codecs' profiles
    differ in what a decoder must be able to do.
    """
    same = [codec for codec in offered if codec.name == sent.name]
    fit = [codec for codec in same if profile(codec) == profile(sent)]
    if not fit and sent.name == "H264":
        fit = same
    return fit[0] if fit else None


def asked(codec: Codec) -> Codec:
    """A published codec as its sender is asked for it: Opus with in-band FEC (RFC 7587 §7)."""
    if codec.name != "opus":
        return codec
    return replace(codec, parameters={**codec.parameters, "useinbandfec": "1"})


def received(codec: Codec) -> Codec:
    """A published codec as its sender is told that it is taken (RFC 6184 §8.2.2).

    H.264 has the level that is received here, unless both sides must use one and the sender's is
    lower. Parameter sets that came beside the stream must come in it too: viewers look there.
    """
    if codec.name != "H264":
        return codec
    told = {key: value for key, value in codec.parameters.items() if key != "max-recv-level"}
    level_id = told.get("profile-level-id", H264_DEFAULT)
    if _PROFILE_LEVEL_ID.fullmatch(level_id.lower()):
        profile_idc, constraints, level = bytes.fromhex(level_id)
        if told.get("level-asymmetry-allowed") == "1" or level > H264_LEVEL:
            constraints &= 0xEF if profile_idc in _LEVEL_1B_PROFILES else 0xFF
            told["profile-level-id"] = bytes((profile_idc, constraints, H264_LEVEL)).hex()
    if "sprop-parameter-sets" in told or "sprop-level-parameter-sets" in told:
        told["in-band-parameter-sets"] = "1"
    return replace(codec, parameters=told)


def profile(codec: Codec) -> str:
    """The profile of a codec; for H.264 with its constraints (RFC 6184 §8.1), "" for nonsense.

    Every spelling of H.264's constrained baseline profile gives `CONSTRAINED_BASELINE`.
    """
    if codec.name != "H264":
        name, default = CARRIED[codec.name.lower()].profile
        return codec.parameters.get(name, default)
    level_id = codec.parameters.get("profile-level-id", H264_DEFAULT).lower()
    if not _PROFILE_LEVEL_ID.fullmatch(level_id):
        return ""
    if level_id[:2] == "42" and int(level_id[2:4], 16) & 0x40:
        return CONSTRAINED_BASELINE
    return level_id[:4]


def names(kind: Kind) -> str:
    """The names of the codecs of a kind that are carried."""
    return ", ".join(carried.name for carried in CARRIED.values() if carried.kind == kind)


def _codec(section: Section, pt: int, encoding: str, parameters: dict[str, str]) -> Codec | None:
    name, _, rate = encoding.partition("/")
    carried = CARRIED.get(name.lower())
    if carried is None or section.kind != carried.kind:
        return None
    if rate.partition("/")[0] != str(carried.clock_rate):
        return None
    if any(parameters.get(key, default) != value for key, default, value in carried.needs):
        return None
    return Codec(carried.name, carried.clock_rate, pt, None, parameters)


def _wrapped(parameters: dict[str, str]) -> set[int | None]:
    """The payload type around which another is: RTX's `apt=…`, RED's `…/…`, all of it the same."""
    if "apt" in parameters:
        return {_payload_type(parameters["apt"])}
    blocks = {block for text in parameters for block in text.split("/") if "/" in text}
    return {_payload_type(block) for block in blocks} if len(blocks) == 1 else set()


def _payload_type(word: str) -> int | None:
    """A payload type that RTP may use beside RTCP (RFC 5761 §4)."""
    if not word.isdecimal() or len(word) > 3:
        return None
    number = int(word)
    return number if number < 64 or 96 <= number < 128 else None


def _numbered(values: Iterable[str]) -> Iterator[tuple[int, str]]:
    for value in values:
        number, _, rest = value.partition(" ")
        if (pt := _payload_type(number)) is not None:
            yield pt, rest.strip()


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {key.lower(): value for key, _, value in pairs if key}
