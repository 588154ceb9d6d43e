"""The codecs that are carried, as an offer lists them, and which of them is wanted most.

What is carried is a table. A codec counts only when it is offered as its RFC has it: the right
kind of media, the clock rate, for H.264 several NAL units to a packet (packetization-mode 1), and
payload types that cannot be taken for RTCP on a shared port.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from signaling.core.sdp import Section
from signaling.ports import Codec, Kind


@dataclass(frozen=True, slots=True)
class Carried:
    """A codec that is carried, under the name the house uses."""

    name: str
    kind: Kind
    clock_rate: int


CARRIED: Final = {
    codec.name.lower(): codec
    for codec in (
        Carried("H264", "video", 90_000),
        Carried("VP8", "video", 90_000),
        Carried("opus", "audio", 48_000),
    )
}

CONSTRAINED_BASELINE: Final = "42e0"
H264_PROFILES: Final = (CONSTRAINED_BASELINE, "4200", "4d00", "6400")
"""Profiles from the one every phone decodes to the one fewest do; others come after these."""
H264_DEFAULT: Final = "42000a"

_PROFILE_LEVEL_ID = re.compile(r"[0-9a-f]{6}")


def offered(section: Section) -> list[Codec]:
    """The carried codecs of a section in its order, RTX folded in (RFC 4588 §8)."""
    maps = dict(_numbered(section.all("rtpmap")))
    parameters = {pt: _parameters(text) for pt, text in _numbered(section.all("fmtp"))}
    listed = [pt for word in section.formats if (pt := _payload_type(word)) in maps]
    repairs = {
        _payload_type(parameters.get(pt, {}).get("apt", "")): pt
        for pt in listed
        if maps[pt].lower().startswith("rtx/")
    }
    found = (
        _codec(section, pt, maps[pt], repairs.get(pt), parameters.get(pt, {})) for pt in listed
    )
    return [codec for codec in found if codec is not None]


def preference(codec: Codec) -> tuple[int, int]:
    """How much a published codec is wanted, least first: every phone plays H.264 in hardware."""
    if codec.name != "H264":
        return 1, 0
    known = profile(codec)
    return 0, H264_PROFILES.index(known) if known in H264_PROFILES else len(H264_PROFILES)


def profile(codec: Codec) -> str:
    """Profile and constraints of an H.264 codec (RFC 6184 §8.1); "" when they are nonsense.

    Every spelling of the constrained baseline profile gives `CONSTRAINED_BASELINE`.
    """
    level_id = codec.parameters.get("profile-level-id", H264_DEFAULT).lower()
    if not _PROFILE_LEVEL_ID.fullmatch(level_id):
        return ""
    if level_id[:2] == "42" and int(level_id[2:4], 16) & 0x40:
        return CONSTRAINED_BASELINE
    return level_id[:4]


def _codec(
    section: Section, pt: int, encoding: str, rtx: int | None, parameters: dict[str, str]
) -> Codec | None:
    name, _, rate = encoding.partition("/")
    carried = CARRIED.get(name.lower())
    if carried is None or section.kind != carried.kind:
        return None
    if rate.partition("/")[0] != str(carried.clock_rate):
        return None
    if carried.name == "H264" and parameters.get("packetization-mode") != "1":
        return None
    return Codec(carried.name, carried.clock_rate, pt, rtx, parameters)


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
