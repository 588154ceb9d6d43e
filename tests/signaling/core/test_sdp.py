"""Descriptions: what is kept, what is refused, and that nothing else ever happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import sdp
from signaling.errors import MalformedOffer
from tests.signaling.offers import chromium

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"


def test_a_browsers_offer() -> None:
    offer = sdp.parse(chromium("publish"))
    assert [section.kind for section in offer.media] == ["audio", "video"]
    assert offer.bundle == ("0", "1")
    audio = offer.media[0]
    assert audio.formats[:2] == ("111", "63")
    assert audio.profile == "UDP/TLS/RTP/SAVPF"
    assert audio.direction == "sendonly"
    assert audio.has("rtcp-mux")
    assert audio.first("nothing") is None
    assert len(list(audio.all("extmap"))) == 4


def test_bare_line_feeds_and_a_missing_last_one_are_read_too() -> None:
    offer = chromium("watch")
    assert sdp.parse(offer.replace("\r\n", "\n").rstrip("\n")) == sdp.parse(offer)


@pytest.mark.parametrize("direction", ["sendonly", "recvonly", "inactive", "sendrecv", None])
def test_direction_is_sendrecv_unless_said(direction: str | None) -> None:
    line = f"a={direction}\r\n" if direction else ""
    (section,) = sdp.parse(HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + line).media
    assert section.direction == (direction or "sendrecv")


@pytest.mark.parametrize(
    ("group", "bundle"),
    [
        ("a=group:BUNDLE 0 1", ("0", "1")),
        ("a=group:LS 0 1\r\na=group:BUNDLE 0", ("0",)),
        ("a=group:LS 0 1", None),
        ("a=group:", None),
        ("a=group", None),
    ],
)
def test_the_bundle_group_is_found_among_others(group: str, bundle: tuple[str, ...] | None) -> None:
    assert sdp.parse(f"{HEAD}{group}\r\n").bundle == bundle


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=1\r\n",
        "{}",
        HEAD + "nonsense\r\n",
        HEAD + "a\r\n",
        HEAD + "=a\r\n",
        HEAD + "\r\n\r\na=x\r\n",
        HEAD + "a=x\x00y\r\n",
        HEAD + "a=x\ry\r\n",
        HEAD + "a=x\u2028y\r\n",
        HEAD + "m=audio\r\n",
        HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF\r\n",
        HEAD + "m=audio nine UDP/TLS/RTP/SAVPF 0\r\n",
        HEAD + "m=audio 123456 UDP/TLS/RTP/SAVPF 0\r\n",
        HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * (sdp.MEDIA_LIMIT + 1),
        HEAD + "a=x\r\n" * sdp.LINE_LIMIT,
    ],
)
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(MalformedOffer):
        sdp.parse(text)


def is_read_or_refused(text: str) -> bool:
    try:
        return len(sdp.parse(text).media) <= sdp.MEDIA_LIMIT
    except MalformedOffer:
        return True


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, HEAD + text, HEAD + "a=" + text, HEAD + "m=" + text):
        assert is_read_or_refused(candidate)
