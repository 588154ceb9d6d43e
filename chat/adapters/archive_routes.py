"""What was said in a show, over HTTP: a page at a time, for replays and for moderators."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chat.core.archive import DAY_MS, Kept, Place, parse_place
from chat.core.events import Author
from chat.erasing import Erasing, Erasure
from chat.errors import InvalidCursorError
from chat.recalling import Recalled, Recalling

PAGE: Final = 100
PAGE_LIMIT: Final = 200

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]
Cursor = Annotated[str, Meta(min_length=1, max_length=96)]
AccountId = Annotated[str, Meta(min_length=1, max_length=64)]
Offset = Annotated[int, Meta(ge=0, le=366 * DAY_MS)]
_BADGES: Final = frozenset(Author.__struct_fields__) - {"id", "name"}


class ArchivedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the archive. `offset_ms`: after the show's beginning, null before it has begun.

    `deleted`: it was taken out of the room; `shadowed`: only its author was shown it. Both are seen
    by moderators alone.
    """

    id: str
    author: Author = msgspec.field(name="from")
    text: str
    at_ms: int
    offset_ms: int | None
    reply_to: str | None
    deleted: bool
    shadowed: bool


class ArchivedChat(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, oldest first; `next`: the `after` of the next page, null: the last for now."""

    began_at_ms: int | None
    messages: list[ArchivedMessage]
    next: str | None


class ErasureView(msgspec.Struct, frozen=True, kw_only=True):
    """What an account said until then is erased; `messages` so many it were this time."""

    account: str
    until_ms: int
    messages: int


def erasure_view(erasure: Erasure) -> ErasureView:
    """An erasure as it is told."""
    return ErasureView(account=erasure.account, until_ms=erasure.until_ms, messages=erasure.sayings)


def operations(recalling: Recalling, erasing: Erasing) -> list[Operation]:
    """The operations of the archive."""

    async def chat(
        show: str, after: Cursor | None = None, from_ms: Offset = 0, limit: Limit = PAGE
    ) -> ArchivedChat:
        """What was said in a show, a second or so after it was.

        From `from_ms` after the show's beginning on, or `after` the page before.
        """
        found = await recalling.recall(show, _place(after), from_ms, limit)
        return _chat(found)

    async def whole_chat(
        person: str,
        show: str,
        after: Cursor | None = None,
        from_ms: Offset = 0,
        limit: Limit = PAGE,
        author: AccountId | None = None,
    ) -> ArchivedChat:
        """The same for the seller and moderators: also what was deleted or only its author saw.

        With `author` what this account said.
        """
        found = await recalling.recall_whole(person, show, _place(after), from_ms, limit, author)
        return _chat(found)

    async def erase(person: str) -> ErasureView:
        """Erase what one has said in all rooms until now, once a minute at most.

        One's addresses and the names one bid under go with it; orders stay.
        Again it changes nothing; one that failed may be asked for again at once.
        """
        return erasure_view(await erasing.erase_own(person))

    return [
        ("DELETE", "/me/chat", erase, 200),
        ("GET", "/shows/{show}/chat", chat, 200),
        ("GET", "/shows/{show}/moderation/chat", whole_chat, 200),
    ]


def _chat(found: Recalled) -> ArchivedChat:
    return ArchivedChat(
        began_at_ms=found.began_ms,
        messages=[_message(kept, found.began_ms) for kept in found.kept],
        next=None if found.more is None else str(found.more),
    )


def _place(cursor: str | None) -> Place | None:
    place = None if cursor is None else parse_place(cursor)
    if cursor is not None and place is None:
        raise InvalidCursorError("`after` is the `next` of a page before.")
    return place


def _message(kept: Kept, began_ms: int | None) -> ArchivedMessage:
    saying = kept.saying
    badges = {badge: True for badge in saying.badges if badge in _BADGES}
    author = {"seller": False, "id": saying.author, "name": saying.name} | badges
    return ArchivedMessage(
        id=saying.id,
        author=msgspec.convert(author, Author),
        text=saying.text,
        at_ms=saying.at_ms,
        offset_ms=None if began_ms is None else saying.at_ms - began_ms,
        reply_to=saying.reply_to,
        deleted=kept.deleted,
        shadowed=saying.shadowed,
    )
