"""An operator's file adds words, and says which are innocent."""

from pathlib import Path

import pytest

from chat.adapters.word_lists import OURS, read_words


def test_our_lists_are_there() -> None:
    assert [file.name for file in sorted(OURS.iterdir())] == ["banned_en.txt", "banned_ko.txt"]
    assert read_words().find("시 발")
    assert read_words().find("f.u.c.k")


def test_a_file_adds_words_and_takes_ours_away(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# ours\n남의가게*\n!sh1t\n!shit\n", encoding="utf-8")
    words = read_words(str(file))
    assert words.find("남의 가게") == ()
    assert words.find("남의가게가 더 싸요")
    assert words.find("shit") == ()
    assert words.find("fuck")


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "words.bin"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnicodeDecodeError):
        read_words(str(file))
