"""Words of the catalogue: what is tidied, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.core.catalog import is_id, is_key, is_slug, tidy_line, tidy_text


@given(st.text(max_size=60))
def test_tidy_lines_stay_tidy(text: str) -> None:
    line = tidy_line(text, 50)
    if line is not None:
        assert 1 <= len(line) <= 50
        assert tidy_line(line, 50) == line
        assert "\x00" not in line
        line.encode()


@given(st.text(max_size=60))
def test_tidy_texts_stay_tidy(text: str) -> None:
    body = tidy_text(text, 50)
    if body is not None:
        assert tidy_text(body, 50) == body
        assert "\x00" not in body
        body.encode()


def test_lines_and_texts() -> None:
    assert tidy_line("  동백꽃차 ", 10) == "동백꽃차"
    assert tidy_line(" ", 10) is None
    assert tidy_line("two\nlines", 10) is None
    assert tidy_text("two\r\nlines ", 10) == "two\nlines"
    assert tidy_text("", 10) == ""
    assert tidy_text("lone \ud800", 10) is None


@pytest.mark.parametrize("slug", ["a", "camellia", "shop-1", "1", "a" * 40])
def test_slugs(slug: str) -> None:
    assert is_slug(slug)


@pytest.mark.parametrize("text", ["", "a\n", "a\x00", "a b", "é", "x" * 65, "../x"])
def test_ids_and_keys_are_plain(text: str) -> None:
    assert not is_id(text)
    assert text == "../x" or not is_key(text)
