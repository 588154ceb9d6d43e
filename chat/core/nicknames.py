"""Names people give themselves, as others read them.

Two names look alike when a reader makes out the same letters (`letters`, after the confusables of
UTS #39): whoever is neither seller nor moderator of a room is not shown there under a name that
looks like theirs, but under one that is made of its account and stays the same.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from chat.core.letters import read
from chat.core.links import find_link
from chat.core.masks import mask
from chat.core.text import is_blank
from chat.core.words import WordList

Fault = Literal["blank", "banned_word", "link", "number", "reserved"]

NAMES_READ: Final = 1024
"""So many names that were read last are known: a room compares its own with each newcomer's."""

_ONE_STROKE: Final = str.maketrans("i", "l")


@lru_cache(NAMES_READ)
def looks(name: str) -> str:
    """What a reader makes out: equal for names that look alike."""
    seen = (letter.also[0] if letter.also else letter.char for letter in read(name))
    return "".join(seen).translate(_ONE_STROKE)


_RESERVED: Final = frozenset(
    looks(name)
    for name in (
        *("Kkot", "admin", "assistant", "moderator", "operator", "seller", "staff", "support"),
        *("관리자", "도우미", "매니저", "운영자", "판매자", "고객센터"),
    )
)


def fault(name: str, unwanted: WordList) -> Fault | None:
    """Why nobody may be called so; None where everybody may."""
    if is_blank(name) or not looks(name):
        return "blank"
    if unwanted.find(name):
        return "banned_word"
    if find_link(name) is not None:
        return "link"
    if mask(name) != name:
        return "number"
    return "reserved" if looks(name) in _RESERVED else None


def shown(account: str, name: str, others: Iterable[str]) -> str:
    """The name of somebody in a room whose seller and moderators are called as `others` are."""
    taken = {looks(other) for other in others}
    return guest_name(account) if looks(name) in taken else name


def guest_name(account: str) -> str:
    """A name made of an account: always the same, and telling nothing of it."""
    number = int.from_bytes(hashlib.sha256(b"guest " + account.encode()).digest()[:4])
    return f"Guest {number % 9_000 + 1_000}"
