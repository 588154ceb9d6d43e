"""Numbers that wrap are unwrapped by nearness, 16 and 32 bits wide."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.seq import Unwrapper

BITS = st.sampled_from([16, 32])


@given(BITS, st.integers(0, 2**32 - 1), st.lists(st.floats(-0.49, 0.49), max_size=50))
def test_steps_of_less_than_half_are_followed(bits: int, start: int, steps: list[float]) -> None:
    span = 1 << bits
    unwrapper = Unwrapper(bits)
    base = unwrapper.unwrap(start % span)
    newest = true = start
    for step in steps:
        true = newest + int(step * span)
        assert unwrapper.unwrap(true % span) - base == true - start
        newest = max(newest, true)


def test_wrap_around_and_a_late_one() -> None:
    unwrapper = Unwrapper(16)
    numbers = [unwrapper.unwrap(n) for n in (0xFFFE, 0, 0xFFFF, 1)]
    assert [n - numbers[0] for n in numbers] == [0, 2, 1, 3]


@given(st.lists(st.integers(0, 0xFFFF), max_size=50))
def test_never_negative_and_always_the_same_number_in_its_bits(numbers: list[int]) -> None:
    unwrapper = Unwrapper(16)
    for number in numbers:
        extended = unwrapper.unwrap(number)
        assert extended >= 0
        assert extended & 0xFFFF == number
