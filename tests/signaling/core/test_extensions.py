"""Numbers of header extensions: which can be used, which way, and how they are answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import extensions, sdp
from signaling.core.sdp import Section
from tests.signaling.offers import chromium

TWCC, TIME = extensions.TWCC, extensions.ABS_SEND_TIME


def section(*maps: str) -> Section:
    lines = "".join(f"a=extmap:{value}\r\n" for value in maps)
    return sdp.parse(f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n{lines}").media[0]


@pytest.mark.parametrize(
    ("value", "sent", "taken", "answer"),
    [
        (f"3 {TIME}", 3, 3, f"3 {TIME}"),
        (f"3/sendrecv {TIME}", 3, 3, f"3/sendrecv {TIME}"),
        (f"3/sendonly {TIME}", 3, None, f"3/recvonly {TIME}"),
        (f"3/recvonly {TIME}", None, 3, f"3/sendonly {TIME}"),
        (f"3/inactive {TIME}", None, None, None),
        (f"3/ {TIME}", 3, 3, f"3 {TIME}"),
        (f"3 {TIME} attributes of it", 3, 3, f"3 {TIME}"),
        (f"14 {TIME}", 14, 14, f"14 {TIME}"),
        (f"15 {TIME}", 15, None, f"15 {TIME}"),
        (f"255 {TIME}", 255, None, f"255 {TIME}"),
        (f"256 {TIME}", None, None, None),
        (f"4096 {TIME}", None, None, None),
        (f"0 {TIME}", None, None, None),
        (f"-3 {TIME}", None, None, None),
        (f"\u0663 {TIME}", None, None, None),
        (f"003 {TIME}", 3, 3, f"3 {TIME}"),
        ("3" * 5_000 + f" {TIME}", None, None, None),
        (f"3 {TIME}x", None, None, f"3 {TIME}x"),
        ("3", None, None, None),
    ],
)
def test_one_mapping(value: str, sent: int | None, taken: int | None, answer: str | None) -> None:
    offered = section(value)
    assert extensions.sent(offered, TIME) == sent
    assert extensions.taken([offered], TIME) == taken
    expected = [] if answer is None else [f"a=extmap:{answer}"]
    assert extensions.lines(offered, *range(1, 256)) == expected


def test_only_what_is_agreed_is_answered() -> None:
    offered = section(f"1 {TWCC}", f"2 {TIME}", "3 urn:x")
    assert extensions.lines(offered, 2, None) == [f"a=extmap:2 {TIME}"]
    assert extensions.lines(offered) == []


def test_the_first_of_several_counts() -> None:
    assert extensions.sent(section(f"1 {TIME}", f"2 {TIME}"), TIME) == 1
    assert extensions.lines(section(f"1 {TIME}", "1 urn:x"), 1) == [f"a=extmap:1 {TIME}"]


def test_one_number_for_all_bundled_sections() -> None:
    video, silent = section(f"4 {TIME}"), section("1 urn:x")
    assert extensions.taken([silent, video], TIME) == 4
    assert extensions.taken([video, section("4 urn:x")], TIME) is None
    assert extensions.taken([], TIME) is None


@given(st.text(max_size=40).filter(str.isprintable))
def test_any_text_is_taken_or_passed_over(value: str) -> None:
    offered = section(value, f"9 {TIME}")
    numbers = {n for uri in (TIME, TWCC) if (n := extensions.sent(offered, uri)) is not None}
    assert all(0 < n < extensions.NUMBER_LIMIT for n in numbers)
    for line in extensions.lines(offered, *numbers):
        assert sdp.parse(f"v=0\r\n{line}").first("extmap")


def test_a_browsers_numbers() -> None:
    audio, video = sdp.parse(chromium("publish")).media
    assert (extensions.sent(audio, TWCC), extensions.sent(video, TWCC)) == (3, 3)
    assert extensions.taken([audio, video], TIME) == 2
