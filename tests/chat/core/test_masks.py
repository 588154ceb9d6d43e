"""Numbers nobody else should read are masked; prices, dates, sizes and codes stay."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.masks import MASK, mask, mask_cards
from tests.chat.core.lists import lines


@pytest.mark.parametrize("line", lines("masked.txt"))
def test_what_nobody_else_should_read_is_masked(line: str) -> None:
    said, shown = line.split(" | ")
    assert mask(said) == shown


@pytest.mark.parametrize("line", lines("unmasked.txt"))
def test_innocent_numbers_stay(line: str) -> None:
    assert mask(line) == line


def test_the_lists_are_long() -> None:
    assert len(lines("masked.txt")) >= 60
    assert len(lines("unmasked.txt")) >= 80


TEXTS: Final = st.text(alphabet="0123456789０１공일이삼 -.,+@*()o:원a국민은행", max_size=120)


@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(TEXTS | st.text(max_size=60))
def test_what_is_not_masked_stays_as_it_was_typed(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(b in (a, MASK) for a, b in zip(text, masked, strict=True))


@given(st.text(alphabet="가나다, !", max_size=20), st.integers(0, 99_999_999))
def test_a_mobile_number_in_any_sentence_is_masked(around: str, number: int) -> None:
    digits = f"{number:08}"
    shown = mask(f"{around}010-{digits[:4]}-{digits[4:]}{around}")
    assert shown == f"{around}***-****-****{around}"


@pytest.mark.parametrize("text", ["0" * 300, "0 " * 150, "a@" * 150, "1-" * 150, "국민" * 150])
def test_hostile_texts_are_masked_in_bounded_work(text: str) -> None:
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    ["4242424242424242", "내 카드 4242-4242-4242-4242 예요", "４２４２ ４２４２ ４２４２ ４２４２"],
)
def test_card_numbers_are_found_among_others(text: str) -> None:
    assert "4242" not in mask_cards(text)
    assert len(mask_cards(text)) == len(text)


@pytest.mark.parametrize(
    "text", ["010-1234-5678", "4242424242424241", "8801234567893", "1764530000000", "me@x.kr"]
)
def test_what_is_no_card_number_stays_when_only_those_are_looked_for(text: str) -> None:
    assert mask_cards(text) == text
