"""SDP fragments: what is understood, what is passed over, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core.answer import Candidate
from signaling.core.fragment import LINE_LIMIT, Fragment, parse, write
from signaling.errors import MalformedFragment

PASSWORD = "p" * 22
CANDIDATES = [Candidate("192.0.2.1", 8189, "udp"), Candidate("2001:db8::1", 8190, "tcp")]

letters = st.text("abcXYZ019+/", min_size=4, max_size=20)


def test_trickled_candidates() -> None:
    text = (
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 UDP 2130706431 198.51.100.1 39132 typ host\r\n"
        "a=candidate:2 1 quic 1 nobody.local 9 typ host\r\na=unheard-of\r\n"
        "m=video 9 RTP/AVP 96\r\na=mid:1\r\na=end-of-candidates\r\n"
    )
    assert parse(text) == Fragment("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", 2, "audio 9 RTP/AVP 0", "0")


@given(letters, st.sampled_from(["audio 9 UDP/TLS/RTP/SAVPF 111", ""]))
def test_what_is_written_can_be_read(ufrag: str, media: str) -> None:
    asked = Fragment("theirs", PASSWORD, 0, media, "0" if media else "")
    text = write(ufrag, PASSWORD, CANDIDATES, asked)
    assert parse(text) == Fragment(ufrag, PASSWORD, 2, media, asked.mid)
    assert text.startswith("a=ice-lite\r\n")
    assert text.endswith("a=end-of-candidates\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "hello",
        "v=0",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        f"a=ice-pwd:{PASSWORD}",
        f"a=ice-ufrag:a b!\r\na=ice-pwd:{PASSWORD}",
        f"a=ice-ufrag:abc\r\na=ice-pwd:{PASSWORD}",
        "a=ice-ufrag:abcd\r\na=ice-pwd:short",
        "m=audio\r\na=end-of-candidates",
        "m=data 9 X 1\r\na=end-of-candidates",
        "a=mid:no token\r\na=end-of-candidates",
        "a=candidate:\x00",
        "a=end-of-candidates\r\n" * (LINE_LIMIT + 1),
    ],
)
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(MalformedFragment):
        parse(text)


@given(st.text(), st.lists(st.sampled_from(["a=mid:0", "m=audio 9 R 1", "a=candidate:", "a="])))
def test_no_text_does_any_harm(text: str, lines: list[str]) -> None:
    for body in (text, "\n".join([*lines, text])):
        try:
            assert parse(body).candidates <= LINE_LIMIT
        except MalformedFragment:
            continue
