"""Money is whole."""

from cart.core.money import line_total, total


def test_sums_are_exact() -> None:
    assert line_total(12_900, 3) == 38_700
    assert total([(12_900, 3), (1, 1)]) == 38_701
    assert total([]) == 0
