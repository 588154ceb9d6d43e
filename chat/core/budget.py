"""Whose words find room when a room says more than it can read: a budget of sayings for each tick.

It has parts, of RongCloud's kind: those of a part may use it and the parts before it, so that
nobody's words are pushed out by the words of the many.
"""

from enum import IntEnum
from typing import Final

from chat.core.room import Rank


class Part(IntEnum):
    """A part of the budget, named by those whose it is."""

    EVERYBODY = 1
    BUYERS = 2
    MODERATORS = 3
    """The seller too."""


IN_TICK: Final = {Part.EVERYBODY: 40, Part.BUYERS: 50, Part.MODERATORS: 60}
"""The most that is said in one tick up to each part; nobody reads faster than all of it."""


def part_of(rank: Rank, *, buyer: bool) -> Part:
    """Up to which part somebody's words may use the budget."""
    if rank >= Rank.MODERATOR:
        return Part.MODERATORS
    return Part.BUYERS if buyer else Part.EVERYBODY
