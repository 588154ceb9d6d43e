"""Links are seen however they are written; prices, dates and sentences without spaces are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.links import find_link
from chat.core.masks import mask
from tests.chat.core.lists import lines


@pytest.mark.parametrize("text", lines("links.txt"))
def test_links_are_seen(text: str) -> None:
    assert find_link(text) is not None


@pytest.mark.parametrize("text", lines("unlinked.txt"))
def test_what_is_no_link(text: str) -> None:
    assert find_link(text) is None


def test_a_masked_address_is_no_link() -> None:
    assert find_link(mask("bom@example.com")) is None


@given(st.from_regex(r"[a-z0-9]{1,20}\.(com|net|co\.kr)(/[a-z]{0,9})?", fullmatch=True))
def test_a_domain_in_a_sentence_is_seen(domain: str) -> None:
    assert find_link(f"여기 {domain} 보세요") is not None


@given(st.text(alphabet="ht:/. 점dotw가a1-", max_size=300))
def test_any_text_is_looked_at(text: str) -> None:
    found = find_link(text)
    assert found is None or found
