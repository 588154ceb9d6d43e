"""Turns: never more than the limit in any time, and no wish forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from cart.core.turns import THINGS_LIMIT, TURNS_LIMIT, TURNS_WITHIN_S, Turns


def test_a_thing_has_so_many_turns_and_then_waits() -> None:
    turns = Turns()
    assert all(turns.take("tea", 0.0) for _ in range(TURNS_LIMIT))
    assert not turns.take("tea", TURNS_WITHIN_S - 0.1)
    assert turns.take("cake", 1.0), "others have turns of their own"
    assert turns.take("tea", TURNS_WITHIN_S)


def test_a_missed_wish_is_told_once_when_the_time_is_over() -> None:
    turns = Turns()
    for _ in range(TURNS_LIMIT + 3):
        turns.take("tea", 0.0)
    turns.take("cake", 0.0)
    assert turns.missed(TURNS_WITHIN_S - 0.1, 9) == []
    assert turns.missed(TURNS_WITHIN_S, 9) == ["tea"]
    assert turns.missed(TURNS_WITHIN_S, 9) == []


def test_who_has_turns_again_missed_nothing() -> None:
    turns = Turns()
    for _ in range(TURNS_LIMIT + 1):
        turns.take("tea", 0.0)
    assert turns.take("tea", TURNS_WITHIN_S)
    assert turns.missed(3 * TURNS_WITHIN_S, 9) == []


def test_of_too_many_things_the_oldest_is_forgotten() -> None:
    turns = Turns()
    for _ in range(TURNS_LIMIT + 1):
        turns.take("oldest", 0.0)
    for number in range(THINGS_LIMIT):
        assert turns.take(str(number), 0.0)
    assert turns.missed(TURNS_WITHIN_S, THINGS_LIMIT) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=120))
def test_nothing_has_more_turns_than_twice_the_limit_in_any_such_time(
    wishes: list[tuple[str, float]],
) -> None:
    turns, now_s = Turns(), 0.0
    taken: list[tuple[str, float]] = []
    unheard: dict[str, float] = {}
    for thing, later_s in wishes:
        now_s += later_s
        for told in turns.missed(now_s, 9):
            del unheard[told]
        if turns.take(thing, now_s):
            taken.append((thing, now_s))
            unheard.pop(thing, None)
        else:
            unheard[thing] = now_s
        ours = [at for one, at in taken if one == thing and at > now_s - TURNS_WITHIN_S]
        assert len(ours) <= 2 * TURNS_LIMIT
    assert set(turns.missed(now_s + TURNS_WITHIN_S, 9)) == set(unheard)
