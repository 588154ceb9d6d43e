"""Commands: what passes, and that nothing else does, whatever it is."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.commands import (
    MESSAGE_BYTES,
    Heart,
    Hello,
    Say,
    Since,
    Sync,
    Unsayable,
    Unwantable,
    Want,
    WantedLine,
    decode,
)
from chat.core.frames import Format


def encode(message: Any, wire: Format) -> str | bytes:
    """A message as a client sends it."""
    if wire is Format.JSON:
        return msgspec.json.encode(message).decode()
    return msgspec.msgpack.encode(message)


@pytest.mark.parametrize("wire", Format)
@pytest.mark.parametrize(
    ("message", "command"),
    [
        ({"type": "hello"}, Hello()),
        ({"type": "hello", "token": "t"}, Hello("t")),
        ({"type": "hello", "since": {"epoch": "e", "offset": 7}}, Hello(None, Since("e", 7))),
        ({"type": "hello", "since": {"epoch": "e", "offset": -1}}, None),
        ({"type": "hello", "since": {"epoch": "e" * 17, "offset": 1}}, None),
        ({"type": "say", "id": "1", "text": "꽃"}, Say("1", "꽃")),
        (
            {"type": "say", "id": "1", "text": "?", "question": True, "product": "tulip"},
            Say("1", "?", True, "tulip"),
        ),
        ({"type": "say", "id": "1", "text": "?", "question": "yes"}, Unsayable("1")),
        ({"type": "say", "id": "1", "text": "?", "product": "x" * 65}, Unsayable("1")),
        ({"type": "hold", "id": "k", "lines": [{"sku": "s"}]}, Want("k", [WantedLine("s")])),
        (
            {"type": "hold", "id": "k", "lines": [{"sku": "s", "quantity": 2, "price_minor": 9}]},
            Want("k", [WantedLine("s", 2, 9)]),
        ),
        ({"type": "hold", "id": "k", "lines": []}, Unwantable("k")),
        ({"type": "hold", "id": "k", "lines": [{"sku": "s", "quantity": 0}]}, Unwantable("k")),
        ({"type": "hold", "id": "k" * 64, "lines": 5}, Unwantable("k" * 64)),
        ({"type": "hold", "id": "k" * 65, "lines": [{"sku": "s"}]}, None),
        ({"type": "say", "id": "1" * 33, "text": 5}, None),
        ({"type": "heart", "count": 50}, Heart(50)),
        ({"type": "sync"}, Sync()),
        ({"type": "say", "id": "1"}, Unsayable("1")),
        ({"type": "say", "id": "1", "text": 5}, Unsayable("1")),
        ({"type": "say", "id": "1", "text": "x", "of": "later"}, Say("1", "x")),
        ({"type": "say", "id": 1, "text": "x"}, None),
        ({"type": "heart", "count": 0}, None),
        ({"type": "heart", "count": 1.0}, None),
        ({"type": "heart", "count": True}, None),
        ({"type": "shout"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_messages(message: Any, command: object, wire: Format) -> None:
    assert decode(encode(message, wire), wire) == command


@given(st.binary(max_size=200) | st.text(max_size=200), st.sampled_from(Format))
def test_noise_never_raises(noise: bytes | str, wire: Format) -> None:
    decode(noise, wire)


@given(st.binary(max_size=20), st.integers(0, 60))
def test_a_damaged_message_never_raises(noise: bytes, at: int) -> None:
    whole = msgspec.msgpack.encode({"type": "say", "id": "c1", "text": "꽃이 피었습니다"})
    decode(whole[:at] + noise + whole[at + len(noise) :], Format.MSGPACK)


def test_the_wrong_kind_of_frame_is_no_message() -> None:
    assert decode(b'{"type":"hello"}', Format.JSON) is None
    assert decode('{"type":"hello"}', Format.MSGPACK) is None


@pytest.mark.parametrize("wire", Format)
def test_a_message_may_be_so_large_and_no_larger(wire: Format) -> None:
    message = encode({"type": "say", "id": "1", "text": ""}, wire)
    room = MESSAGE_BYTES - len(message) - (0 if wire is Format.JSON else 2)
    fits = encode({"type": "say", "id": "1", "text": "x" * room}, wire)
    assert len(fits) == MESSAGE_BYTES
    assert isinstance(decode(fits, wire), Say)
    assert decode(encode({"type": "say", "id": "1", "text": "x" * (room + 1)}, wire), wire) is None
