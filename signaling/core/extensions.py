"""RTP header extensions as an offer maps them, and the answer to it (RFC 8285 §5–§7).

An extension keeps the number it was offered under. Which way it goes is seen from the peer, and
turned round in the answer. Of several numbers for one URI the first counts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from signaling.core.sdp import Section

TWCC: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

NUMBER_LIMIT: Final = 256
"""Numbers from here on cannot be sent (RFC 8285 §4.3)."""
ONE_BYTE_LIMIT: Final = 15
"""Numbers from here on need two-byte headers (RFC 8285 §4.2)."""

_NUMBER = re.compile(r"[0-9]{1,3}")
_TURNED: Final = {"": "", "sendrecv": "/sendrecv", "sendonly": "/recvonly", "recvonly": "/sendonly"}


def sent(section: Section, uri: str) -> int | None:
    """The number under which the peer would send an extension; None when it would not."""
    return _number_of(section, uri, ("", "sendrecv", "sendonly"))


def taken(sections: Iterable[Section], uri: str) -> int | None:
    """The number under which the peer takes an extension in bundled sections; None when it does
    not, or when the number needs two-byte headers or means something else in one of them."""
    sections = list(sections)
    ways = ("", "sendrecv", "recvonly")
    numbers = (_number_of(section, uri, ways) for section in sections)
    number = next((n for n in numbers if n is not None), None)
    if number is None or number >= ONE_BYTE_LIMIT:
        return None
    meanings = {other for section in sections for n, _, other in _mapped(section) if n == number}
    return number if meanings == {uri} else None


def lines(section: Section, *numbers: int | None) -> list[str]:
    """The a=extmap lines that agree to these numbers of the section; None is passed over."""
    found = {}
    for number, way, uri in _mapped(section):
        if number in numbers and number not in found and way in _TURNED:
            found[number] = f"a=extmap:{number}{_TURNED[way]} {uri}"
    return list(found.values())


def _number_of(section: Section, uri: str, ways: tuple[str, ...]) -> int | None:
    mapped = _mapped(section)
    return next((n for n, way, other in mapped if other == uri and way in ways), None)


def _mapped(section: Section) -> Iterator[tuple[int, str, str]]:
    """Number, direction and URI of each extension that is offered soundly."""
    for value in section.all("extmap"):
        head, _, rest = value.partition(" ")
        word, _, way = head.partition("/")
        uri = rest.split(" ")[0]
        if uri and _NUMBER.fullmatch(word) and 0 < int(word) < NUMBER_LIMIT:
            yield int(word), way, uri
