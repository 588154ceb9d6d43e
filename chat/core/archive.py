"""What is archived of a room's talk: one saying, its place among the others, how many at once.

Masks are applied before anything is said, so what comes here is fit to be kept. A saying's id is
its key: archived twice it is there once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

BATCH_SAYINGS: Final = 500
"""The most sayings that one statement archives."""
BATCH_SHOWS: Final = 50
"""The most shows they are of."""
DAY_MS: Final = 86_400_000
_CLOCK_DIGITS: Final = 14
"""Milliseconds of the wall clock have no more, up to the year 5138."""
_COUNT_BITS: Final = 20
_NUMBER_DIGITS: Final = 19
_NUMBERS: Final = 2**63
_MOST_BADGES: Final = 8
_PERSON: Final = frozenset({"id", "name"})


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said. `badges`: what its author was, such as `seller` or `moderator`.

    `number`: where it stands in its show, as it was said (see `number_of`).
    `shadowed`: it was shown to its author alone, who does not know.
    """

    id: str
    show: str
    number: int
    author: str
    name: str
    badges: tuple[str, ...]
    text: str
    at_ms: int
    reply_to: str | None = None
    shadowed: bool = False

    def event(self) -> dict[str, Any]:
        """The saying as the room was told it."""
        author: dict[str, Any] = {"id": self.author, "name": self.name, "seller": False}
        author |= dict.fromkeys(self.badges, True)
        told = {"type": "said", "id": self.id, "from": author, "text": self.text}
        reply = {} if self.reply_to is None else {"reply_to": self.reply_to}
        return told | {"at_ms": self.at_ms} | reply


def number_of(ms: int, count: int) -> int:
    """The place of the saying that was so many in its millisecond, by the store's clock."""
    return ms << _COUNT_BITS | count


def read(show: str, number: int, packed: bytes, *, shadowed: bool) -> Saying | None:
    """The saying in a packed event; None for what is none."""
    try:
        event = msgspec.msgpack.decode(packed, type=_Event)
    except ValueError:
        return None
    badges = [name for name, is_so in event.author.items() if is_so is True]
    person = {name: event.author.get(name) for name in _PERSON}
    if not all(isinstance(value, str) for value in person.values()):
        return None
    return Saying(
        id=event.id,
        show=show,
        number=number,
        author=_storable(str(person["id"])),
        name=_storable(str(person["name"])),
        badges=tuple(filter(str.isidentifier, badges))[:_MOST_BADGES],
        text=_storable(event.text),
        at_ms=event.at_ms,
        reply_to=event.reply_to,
        shadowed=shadowed,
    )


class _Event(msgspec.Struct, tag_field="type", tag="said"):
    id: str
    author: dict[str, Any] = msgspec.field(name="from")
    text: str
    at_ms: Annotated[int, Meta(ge=0, lt=10**_CLOCK_DIGITS)]
    reply_to: str | None = None


def _storable(text: str) -> str:
    # PostgreSQL has no text with a NUL in it
    return text.replace("\0", "")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a saying stands in a show: by its number; what a store that lost its own has numbered
    twice by its id."""

    number: int
    id: str

    def __str__(self) -> str:
        """The place as a cursor; `parse_place` reads it."""
        return f"{self.number}.{self.id}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A saying of the archive. `deleted`: it was taken out of the room."""

    saying: Saying
    deleted: bool = False

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.saying.number, self.saying.id)


@dataclass(frozen=True, slots=True)
class Recall:
    """What is asked for: so many sayings at most.

    `hidden`: also what was deleted or only its author was shown. `author`: what this one said.
    """

    limit: int
    hidden: bool = False
    author: str | None = None


def parse_place(cursor: str) -> Place | None:
    """The place a cursor tells; None for what is no cursor."""
    digits, dot, saying = cursor.partition(".")
    if not dot or not saying or not digits.isascii() or not digits.isdigit():
        return None
    if len(digits) > _NUMBER_DIGITS or int(digits) >= _NUMBERS:
        return None
    return Place(int(digits), saying)


@dataclass(frozen=True, slots=True)
class Share:
    """Some shows, and how many sayings of each are taken at once."""

    shows: Sequence[str]
    each: int


def shares(shows: Sequence[str]) -> Iterator[Share]:
    """All of the shows, in shares of at most `BATCH_SAYINGS` together."""
    for start in range(0, len(shows), BATCH_SHOWS):
        some = shows[start : start + BATCH_SHOWS]
        yield Share(some, BATCH_SAYINGS // len(some))


def oldest_ms(now_ms: int, retention_days: int) -> int:
    """What was said before this is kept no longer."""
    return now_ms - retention_days * DAY_MS
