"""Frames: what is packed is unpacked, by other people's code where there is some."""

from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chat.core.frames import (
    DEFLATE_FROM_BYTES,
    Format,
    Snapshot,
    array_frame,
    numbered,
    pack,
    unpack,
    websocket_frame,
)

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
events = st.dictionaries(st.text(max_size=8), scalars | st.lists(scalars, max_size=4), max_size=6)


def parse(frame: bytes, *, inflate: bool = False) -> Frame:
    """The frame as the websockets library reads it; it must be exactly one."""
    extensions = [PerMessageDeflate(True, True, 15, 15)] if inflate else []
    reader = StreamReader()
    reader.feed_data(frame)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False, extensions=extensions)
    while True:
        try:
            next(parsing)
        except StopIteration as done:
            parsed: Frame = done.value
            break
    rest = reader.read_to_eof(1)
    with pytest.raises(StopIteration) as end:
        next(rest)
    assert end.value.value == b""
    return parsed


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("wire", Format)
def test_a_frame_of_any_size_is_one_whole_frame(wire: Format, size: int) -> None:
    parsed = parse(websocket_frame(wire, b"x" * size))
    assert parsed.fin
    assert parsed.opcode == (Opcode.BINARY if wire is Format.MSGPACK else Opcode.TEXT)
    assert parsed.data == b"x" * size


@given(st.lists(events, max_size=20), st.integers(0, 3), st.sampled_from(Format))
def test_a_deflated_array_says_the_same_and_is_never_larger(
    told: list[dict[str, Any]], copies: int, wire: Format
) -> None:
    packed = [pack(event) for event in told] * copies
    plain = array_frame(wire, packed)
    frame = array_frame(wire, packed, deflated=True)
    assert parse(frame, inflate=True) == parse(plain)
    assert len(frame) <= len(plain)


def test_only_what_is_worth_it_is_deflated() -> None:
    small = [pack({"text": "꽃" * 10})]
    large = [pack({"text": "꽃" * DEFLATE_FROM_BYTES})]
    assert parse(array_frame(Format.MSGPACK, small, deflated=True))
    assert parse(array_frame(Format.MSGPACK, large))
    with pytest.raises(ProtocolError, match="reserved bits"):
        parse(array_frame(Format.MSGPACK, large, deflated=True))


@given(st.lists(events, max_size=20))
def test_an_array_is_its_events_in_order(told: list[dict[str, Any]]) -> None:
    packed = [pack(event) for event in told]
    assert msgpack.unpackb(parse(array_frame(Format.MSGPACK, packed)).data) == told
    assert msgspec.json.decode(parse(array_frame(Format.JSON, packed)).data) == told


@pytest.mark.parametrize("count", [15, 16, 65_535, 65_536])
def test_arrays_of_every_header(count: int) -> None:
    payload = parse(array_frame(Format.MSGPACK, [pack({})] * count)).data
    assert len(msgpack.unpackb(payload)) == count


@given(
    st.dictionaries(st.text(max_size=8).filter(lambda name: name != "offset"), scalars),
    st.integers(1, 2**53),
)
def test_a_number_is_one_member_more(event: dict[str, Any], offset: int) -> None:
    assert unpack(numbered(pack(event), offset)) == {**event, "offset": offset}


@pytest.mark.parametrize("members", [13, 14, 15, 16])
def test_events_of_every_header_are_numbered(members: int) -> None:
    event = {f"m{n}": n for n in range(members)}
    assert unpack(numbered(pack(event), 7)) == {**event, "offset": 7}


@pytest.mark.parametrize("you", [None, {"id": "a", "name": "봄", "seller": True}])
def test_a_snapshot_is_completed_for_each_viewer(you: dict[str, Any] | None) -> None:
    snapshot = Snapshot({"type": "welcome", "talk": [{"id": "s1"}], "products": []})
    assert msgpack.unpackb(snapshot.welcome(you, 7, recovered=True)) == {
        "type": "welcome",
        "talk": [{"id": "s1"}],
        "products": [],
        "you": you,
        "offset": 7,
        "recovered": True,
    }
