"""Events as nodes tell each other: one byte for the lane, then what the lane needs.

A numbered event is `n`, its epoch (16 characters), its offset (16 hexadecimal digits), whom it is
for, a zero byte, and the packed map; the store writes epoch and offset. Talk for one person is `w`,
whom it is for, a zero byte, and the packed map. Others are `t` or `h` and the packed bytes.
"""

from typing import Final

from chat.core.frames import Event, Lane, numbered

EPOCH_CHARS: Final = 16
_OFFSET_DIGITS: Final = 16
_HEAD: Final = 1 + EPOCH_CHARS + _OFFSET_DIGITS


def body(packed: bytes, to: str) -> bytes:
    """A numbered event as the store keeps it, before it has its number."""
    return to.encode() + b"\0" + packed


def from_body(kept: bytes, offset: int) -> Event:
    """What `body` made, with its number."""
    to, _, packed = kept.partition(b"\0")
    return Event(Lane.SHOP, numbered(packed, offset), to.decode(), offset)


def said(packed: bytes, to: str = "") -> bytes:
    """A saying, or another event of the talk lane."""
    return b"w" + body(packed, to) if to else b"t" + packed


def whispered(kept: bytes) -> Event:
    """Talk for one person, of what `body` made of it."""
    to, _, packed = kept.partition(b"\0")
    return Event(Lane.TALK, packed, to.decode())


def hearts(count: int) -> bytes:
    """So many hearts."""
    return b"h" + count.to_bytes(4)


def read(message: bytes) -> tuple[str, Event] | None:
    """Epoch (none for what has no number) and event; None for what this node does not know."""
    match message[:1]:
        case b"t":
            return "", Event(Lane.TALK, message[1:])
        case b"h":
            return "", Event(Lane.HEARTS, message[1:])
        case b"w" if b"\0" in message:
            return _whisper(message)
        case b"n" if len(message) > _HEAD:
            return _numbered(message)
    return None


def _whisper(message: bytes) -> tuple[str, Event] | None:
    try:
        return "", whispered(message[1:])
    except ValueError:
        return None


def _numbered(message: bytes) -> tuple[str, Event] | None:
    epoch, digits = message[1 : 1 + EPOCH_CHARS], message[1 + EPOCH_CHARS : _HEAD]
    try:
        return epoch.decode(), from_body(message[_HEAD:], int(digits, 16))
    except (ValueError, IndexError):
        return None
