"""The counters of any descriptor are found, and move on over their ends; nothing else changes."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core import vp8, vp9
from live.relay.core.picture_counters import LONG, SHORT, Counters, Read, moved

READERS = pytest.mark.parametrize("read", [vp8.counters, vp9.counters], ids=["vp8", "vp9"])
HEAD = b"twelve bytes"


@READERS
@given(st.binary(max_size=12), st.integers(0, LONG), st.integers(0, 255))
def test_whatever_comes_keeps_its_length_and_all_but_its_counters(
    read: Read, payload: bytes, picture: int, tl0: int
) -> None:
    packet = HEAD + payload
    found = read(packet, len(HEAD))
    if found is None:
        return
    there = moved(packet, found, picture, tl0)
    assert len(there) == len(packet)
    again = read(there, len(HEAD))
    assert again is not None
    assert again.picture_id == found.picture_id + picture & found.mask or found.picture_at is None
    assert again.tl0 == found.tl0 + tl0 & 0xFF or found.tl0_at is None
    assert moved(there, again, -picture, -tl0) == packet


@pytest.mark.parametrize(
    ("payload", "picture", "tl0"),
    [
        ("9bdee110014000b4824983420013f00b341038241c18ba00037050654fa3", (1, 0x5EE1, LONG), None),
        ("95dee1434290f7bd2e86bf00f826d760f0d71f7ba690f9fa0014d38dedff", (1, 0x5EE1, LONG), None),
        ("dddee20286004092b8505563737010160301a4c6a1105062ad0000000009", (1, 0x5EE2, LONG), None),
        ("8c7f82", (1, 0x7F, SHORT), None),
        ("ac7f00ff82", (1, 0x7F, SHORT), (3, 0xFF)),
        ("acffff20ff82", (1, 0x7FFF, LONG), (4, 0xFF)),
        ("2c00fe82", (None, 0, LONG), (2, 0xFE)),
        ("bcffff2082", (1, 0x7FFF, LONG), None),  # flexible: no TL0PICIDX
        ("fcffff20030482", (1, 0x7FFF, LONG), None),
    ],
)
def test_vp9(
    payload: str, picture: tuple[int | None, int, int], tl0: tuple[int, int] | None
) -> None:
    assert vp9.counters(bytes.fromhex(payload), 0) == Counters(*picture, *(tl0 or (None, 0)))


@pytest.mark.parametrize("payload", ["", "0c82", "3c2082", "8c", "8cff", "ac7f", "ac7f00", "2c00"])
def test_vp9_without_counters_or_cut_short(payload: str) -> None:
    assert vp9.counters(bytes.fromhex(payload), 0) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ac7f00ff82", "ac00000082"),
        ("acffff00ff82", "ac8000000082"),
        ("ac80ff000082", "ac8100000182"),
        ("2c00ff82", "2c000082"),
    ],
)
def test_vp9_counts_on_over_the_ends(before: str, after: str) -> None:
    packet = HEAD + bytes.fromhex(before)
    found = vp9.counters(packet, len(HEAD))
    assert found is not None
    assert moved(packet, found, 1, 1) == HEAD + bytes.fromhex(after)


@given(st.integers(0, LONG), st.booleans(), st.integers(0, 255), st.booleans(), st.booleans())
def test_vp9_descriptors_are_read_as_they_are_written(
    picture: int, long: bool, tl0: int, layered: bool, flexible: bool
) -> None:
    picture &= LONG if long else SHORT
    flags = 0x8C | layered << 5 | flexible << 4
    written = bytes((flags,)) + (pack("!H", 0x8000 | picture) if long else bytes((picture,)))
    has_tl0 = layered and not flexible
    written += (b"\x21" if layered else b"") + (bytes((tl0,)) if has_tl0 else b"")
    found = vp9.counters(HEAD + written + b"frame", len(HEAD))
    assert found is not None
    assert (found.picture_id, found.mask) == (picture, LONG if long else SHORT)
    assert found.tl0_at == (len(HEAD) + len(written) - 1 if has_tl0 else None)
    assert found.tl0 == (tl0 if has_tl0 else 0)
