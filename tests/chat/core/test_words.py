"""Unwanted words are found however they are disguised, and not where there are none."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chat
from chat.core.words import WORD_LETTERS, Found, WordList
from tests.chat.core.lists import lines

LISTS: Final = (Path(chat.__file__).parent / "data").glob("banned_*.txt")
OURS: Final = WordList.of(
    line for path in LISTS for line in path.read_text(encoding="utf-8").splitlines()
)


@pytest.mark.parametrize("text", lines("evasions.txt"))
def test_disguised_words_are_found(text: str) -> None:
    assert OURS.find(text)


@pytest.mark.parametrize("name", ["innocent.txt", "unmasked.txt", "unlinked.txt"])
def test_innocent_sayings_stay(name: str) -> None:
    assert [(text, OURS.find(text)) for text in lines(name) if OURS.find(text)] == []


def test_the_lists_are_long() -> None:
    assert len(set(lines("evasions.txt"))) >= 120
    assert len(set(lines("innocent.txt"))) >= 300


def test_a_list_without_words_finds_nothing() -> None:
    """The control: it is the list that finds, nothing else."""
    nothing = WordList.of(["# a comment", "", "  ", "*", "!innocent"])
    assert not any(nothing.find(text) for text in lines("evasions.txt"))


def test_what_is_found_says_which_word_and_where() -> None:
    words = WordList.of(["rotten*", "상한*"])
    assert words.find("so r-o-t-t-e-n and 상 한!") == (
        Found("rotten", 3, 14),
        Found("상한", 19, 22),
    )


@pytest.mark.parametrize(
    ("line", "text", "found"),
    [
        ("egg", "an egg!", True),
        ("egg", "eggs", False),
        ("egg", "nutmegg", False),
        ("egg*", "eggs", True),
        ("egg*", "nutmegg", False),
        ("*egg", "nutmegg", True),
        ("*egg", "eggs", False),
        ("*egg*", "nutmeggs", True),
        ("egg", "egg이에요", True),
        ("달걀", "달걀", True),
        ("달걀", "새달걀", False),
        ("달걀", "달걀국", False),
        ("*달걀*", "새달걀국", True),
    ],
)
def test_stars_say_where_a_word_may_go_on(line: str, text: str, found: bool) -> None:
    assert bool(WordList.of([line]).find(text)) is found


def test_innocent_words_hide_only_what_lies_within_them() -> None:
    words = WordList.of(["*ham*", "!hamster"])
    assert not words.find("a hamster")
    assert words.find("a hamster with ham") == (Found("ham", 15, 18),)


def test_later_lines_add_to_earlier_ones() -> None:
    words = WordList.of(["spam", "eggs", "!spam"])
    assert not words.find("spam")
    assert words.find("eggs")


def test_a_line_too_long_to_be_a_word_counts_for_nothing() -> None:
    assert not WordList.of(["x" * (WORD_LETTERS + 1)]).find("x" * (WORD_LETTERS + 1))
    assert WordList.of(["xy" * (WORD_LETTERS // 2)]).find("xy" * (WORD_LETTERS // 2))


WORD: Final = st.text(alphabet="bcdfghjkmnpqrtvwxz", min_size=4, max_size=12)


@given(WORD, st.sampled_from(["", " ", ".", "-", "\u200b", "/ ", "\u0301"]), st.integers(1, 3))
def test_any_word_is_found_spread_and_repeated(word: str, between: str, times: int) -> None:
    words = WordList.of([word])
    (found,) = [f for f in words.find(between.join(word)) if f.start == 0]
    assert found.word == word
    assert words.find("".join(char * times for char in word))
    assert words.find(word.upper())


@given(st.text(max_size=300) | st.text(alphabet="시발ㅅㅂㅣㅏ1l* .fuck$@", max_size=300))
def test_whatever_is_found_lies_in_the_text_in_order(text: str) -> None:
    found = OURS.find(text)
    assert [*found] == sorted(found, key=lambda each: each.start)
    assert all(0 <= each.start < each.end <= len(text) for each in found)


@pytest.mark.parametrize(
    "part", ["*", "a*", "s$", "!@#$", "ㅅㅂ", "ㅅ1", "시이", "f", "ㅅ", "\u0301", "\u200b", "1"]
)
def test_a_word_after_much_disguise_is_still_found(part: str) -> None:
    text = (part * 300)[:290]
    assert any(found.word == "fuck" for found in OURS.find(text + " fuck"))
