"""What viewers say to buy, and what they only say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.core.catalog import tidy_code
from cart.core.spoken import LINE_LIMIT_CHARS, Reading, read


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("A12", ("A12", 1)),
        ("  a12 ", ("A12", 1)),
        ("Ａ１２", ("A12", 1)),
        ("a-12", ("A-12", 1)),
        ("7", ("7", 1)),
        ("A12 2", ("A12", 2)),
        ("A12  x2", ("A12", 2)),
        ("A12 X 2", ("A12", 2)),
        ("A12 ×3", ("A12", 3)),
        ("A12*3", ("A12", 3)),
        ("A12 2개", ("A12", 2)),
        ("Ａ１２\u3000２개", ("A12", 2)),
        ("동백", ("동백", 1)),
        ("동백 2", ("동백", 2)),
        ("동백 12 개", ("동백", 12)),
        ("tea 3pcs", ("TEA", 3)),
    ],
)
def test_a_code_and_how_many(line: str, first: tuple[str, int]) -> None:
    """Width, case, spacing and the ways to count do not matter."""
    assert read(line)[0] == Reading(*first)


@pytest.mark.parametrize(
    "line",
    ["", " ", "!!", "A12 0", "A12 2 3", "A12 주세요!", "얼마예요?", "a" * 30, "x" * 99],
)
def test_anything_else_is_talk(line: str) -> None:
    """It orders nothing whatever codes there are."""
    assert not read(line)


@pytest.mark.parametrize(
    ("line", "readings"),
    [
        ("A12x2", [("A12X2", 1), ("A12", 2)]),
        ("동백2개", [("동백2개", 1), ("동백", 2)]),
        ("red 2", [("RED", 2), ("RED2", 1)]),
        ("A 12", [("A", 12), ("A12", 1)]),
        ("A12 2", [("A12", 2)]),
    ],
)
def test_two_readings_are_told_in_order(line: str, readings: list[tuple[str, int]]) -> None:
    """What stands together is one code first; what stands apart is counted first."""
    assert list(read(line)) == [Reading(*reading) for reading in readings]


@given(st.text(max_size=LINE_LIMIT_CHARS + 4))
def test_whatever_is_said_is_read_within_bounds(line: str) -> None:
    """At most two readings, of codes as sellers may set them, of one to 99 units."""
    readings = read(line)
    assert len(readings) <= 2
    for reading in readings:
        assert tidy_code(reading.code) == reading.code
        assert 1 <= reading.quantity <= 99


@given(st.from_regex(r"[A-Za-z가-힣]{2,6}[0-9]{0,4}", fullmatch=True), st.integers(1, 99))
def test_a_code_that_is_said_as_it_is_set_is_found(code: str, quantity: int) -> None:
    """Whatever code the seller chose, in every form."""
    kept = tidy_code(code)
    assert kept is not None
    assert Reading(kept, 1) in read(code)
    for said in (f"{code} {quantity}", f"{code} x{quantity}", f"{code.lower()} {quantity}개"):
        assert Reading(kept, quantity) in read(said)
