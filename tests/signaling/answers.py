"""What every answer must keep of its offer, whoever offered (RFC 3264, RFC 8285, RFC 8829)."""

from collections.abc import Set
from typing import Final

from aiortc.sdp import SessionDescription

from signaling.core import sdp
from signaling.core.sdp import Section
from tests.signaling.offers import LOCAL

TURNED: Final = {"": "", "sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}


def assert_sound(offer: str, answer: str, directions: Set[str]) -> None:
    """An answer every peer can take: as many sections as offered, ours in each of them."""
    assert answer.endswith("\r\n")
    offered, answered = sdp.parse(offer), sdp.parse(answer)
    assert answered.first("ice-lite") is not None
    assert answered.bundle == (
        None if offered.bundle is None else tuple(m.first("mid") for m in offered.media)
    )
    assert [m.kind for m in answered.media] == [m.kind for m in offered.media]
    for theirs, ours in zip(offered.media, answered.media, strict=True):
        assert ours.direction in directions
        assert ours.first("mid") == theirs.first("mid")
        assert ours.first("setup") == "passive"
        assert ours.has("rtcp-mux")
        assert ours.has("rtcp-mux-only")
        assert ours.has("rtcp-rsize") <= theirs.has("rtcp-rsize")
        assert ours.first("ice-ufrag") == LOCAL.ufrag
        assert ours.first("ice-pwd") == LOCAL.password
        assert ours.first("fingerprint") == f"sha-256 {LOCAL.fingerprint}"
        assert_formats_are_offered(theirs, ours)
        assert_extensions_are_offered(theirs, ours)
        assert_layers_are_offered(theirs, ours)


def assert_readable(answer: str) -> None:
    """Another implementation reads it, with all of our candidates."""
    read = SessionDescription.parse(answer)
    assert [m.direction for m in read.media] == [s.direction for s in sdp.parse(answer).media]
    assert read.media[0].ice_candidates_complete
    assert len(read.media[0].ice_candidates) == len(LOCAL.candidates)


def assert_formats_are_offered(theirs: Section, ours: Section) -> None:
    """Payload types mean what they did, and whatever is told of them is about one of them."""
    assert ours.formats
    assert set(ours.formats) <= set(theirs.formats)
    assert len(set(ours.formats)) == len(ours.formats)
    if ours.direction != "inactive":
        told = [value.partition(" ")[0] for value in ours.all("rtpmap")]
        assert sorted(told) == sorted(ours.formats)
    maps = {value.lower() for value in theirs.all("rtpmap")}
    assert {value.lower() for value in ours.all("rtpmap")} <= maps
    for value in ours.all("fmtp"):
        number, _, parameters = value.partition(" ")
        assert number in ours.formats
        assert "sprop-" not in parameters.lower()
        if parameters.startswith("apt="):
            assert parameters.removeprefix("apt=") in ours.formats
    for value in ours.all("rtcp-fb"):
        number, _, kind = value.partition(" ")
        assert number in ours.formats
        assert {f"{number} {kind}", f"* {kind}"} & set(theirs.all("rtcp-fb"))


def assert_extensions_are_offered(theirs: Section, ours: Section) -> None:
    """Header extensions keep their numbers; their directions are turned round."""
    offered = {number: (way, uri) for number, way, uri in reversed(list(_mapped(theirs)))}
    numbers = []
    for number, way, uri in _mapped(ours):
        numbers.append(number)
        assert offered[number][1] == uri
        assert TURNED[offered[number][0]] == way
    assert len(set(numbers)) == len(numbers)


def assert_layers_are_offered(theirs: Section, ours: Section) -> None:
    """What is to be received of rids is offered to be sent, and listed in simulcast."""
    sent = {value.split()[0] for value in theirs.all("rid") if value.split()[1:2] == ["send"]}
    taken = [value.split() for value in ours.all("rid")]
    assert all(words[1] == "recv" and words[0] in sent for words in taken)
    order = (ours.first("simulcast") or "").removeprefix("recv ")
    listed = [rid.removeprefix("~") for rid in order.split(";") if rid]
    assert listed == [words[0] for words in taken]


def _mapped(section: Section) -> list[tuple[int, str, str]]:
    found = []
    for value in section.all("extmap"):
        head, _, rest = value.partition(" ")
        number, _, way = head.partition("/")
        if number.isdecimal() and len(number) < 4 and rest:
            found.append((int(number), way, rest.split(" ")[0]))
    return found
