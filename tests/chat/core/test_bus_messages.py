"""What nodes tell each other: read as it was written, and noise is no event."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.bus_messages import body, hearts, read, said
from chat.core.frames import Event, Lane, numbered, pack

EPOCH = "0123456789abcdef"


@given(
    st.dictionaries(st.text(max_size=8), st.integers(0, 2**40), max_size=6),
    st.sampled_from(["", "seller", "moderators", "@꽃"]),
    st.integers(1, 2**53),
)
def test_a_numbered_event_survives_the_bus(event: dict[str, Any], to: str, offset: int) -> None:
    message = b"n" + EPOCH.encode() + b"%016x" % offset + body(pack(event), to)
    expected = Event(Lane.SHOP, numbered(pack(event), offset), to, offset)
    assert read(message) == (EPOCH, expected)


def test_talk_and_hearts_have_no_number() -> None:
    for to in ("", "@꽃"):
        assert read(said(b"\x80", to)) == ("", Event(Lane.TALK, b"\x80", to))
    assert hearts(258) == b"h\x00\x00\x01\x02"
    assert read(hearts(258)) == ("", Event(Lane.HEARTS, b"\x00\x00\x01\x02"))


@pytest.mark.parametrize(
    "message", [b"", b"z\x80", b"w@bom", b"w\xff\0", b"n", b"n" + b"\xff" * 40, b"n" + b"g" * 32]
)
def test_what_a_node_does_not_know_is_no_event(message: bytes) -> None:
    assert read(message) is None


@given(st.binary(max_size=80))
def test_noise_never_raises(noise: bytes) -> None:
    read(noise)
    read(b"n" + noise)
    read(b"w" + noise + b"\0")
