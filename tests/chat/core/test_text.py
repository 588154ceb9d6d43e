"""Text as the room shows it."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.core.text import clean, is_blank


@given(st.text())
@example("\u1100\x00\u1161")
@example("a\u202e\u0301")
def test_cleaning_is_idempotent_and_leaves_nothing_harmful(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in cleaned)
    cleaned.encode()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("\u1101\u1169\u11be", "꽃"),
        ("  두\t줄\n입니다 ", "두 줄 입니다"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("\u202eabc\u202c", "abc"),
        ("👩\u200d🌾", "👩\u200d🌾"),
    ],
)
def test_what_is_typed_and_what_is_shown(typed: str, shown: str) -> None:
    assert clean(typed) == shown


@pytest.mark.parametrize("text", ["", " ", "\u3164", "\u200b\u200d", "\u0301", "\u115f\u1160"])
def test_nothing_to_see_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(text + "꽃")
