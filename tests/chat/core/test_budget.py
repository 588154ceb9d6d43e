"""Whose words find room in a room that says too much."""

from itertools import pairwise

from chat.core.budget import IN_TICK, Part, part_of
from chat.core.room import Rank


def test_each_part_has_places_of_its_own() -> None:
    assert set(IN_TICK) == set(Part)
    assert all(IN_TICK[less] < IN_TICK[more] for less, more in pairwise(Part))


def test_buying_counts_for_viewers_alone() -> None:
    parts = {(rank, buyer): part_of(rank, buyer=buyer) for rank in Rank for buyer in (False, True)}
    assert parts.pop((Rank.VIEWER, False)) is Part.EVERYBODY
    assert parts.pop((Rank.VIEWER, True)) is Part.BUYERS
    assert set(parts.values()) == {Part.MODERATORS}
