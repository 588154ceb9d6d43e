"""In which language a page speaks, and that both say the same things."""

import re

import pytest

from live.pages.language import LANGUAGES, STRINGS, as_language, choose_language

NAMES = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize(
    ("asked", "remembered", "accept_language", "expected"),
    [
        ("en", "ko", "ko", "en"),
        ("xx", "en", "ko", "en"),
        (None, "<script>", "en-GB,en;q=0.9", "en"),
        (None, None, "fr;q=1.0, en;q=0.4, ko-KR;q=0.8", "ko"),
        (None, None, "en;q=0, fr", "ko"),
        (None, None, "en;q=nonsense", "ko"),
        (None, None, ",;;=,q", "ko"),
        (None, None, "", "ko"),
    ],
)
def test_the_visitor_decides_the_language(
    asked: str | None, remembered: str | None, accept_language: str, expected: str
) -> None:
    chosen = choose_language(
        asked=asked, remembered=remembered, accept_language=accept_language, default="ko"
    )
    assert chosen == expected


def test_a_tag_stands_for_its_primary_language() -> None:
    assert [as_language(tag) for tag in ("KO-kr", " en ", "english", "", None)] == [
        *("ko", "en", None, None, None)
    ]


def test_both_languages_have_the_same_keys_and_names() -> None:
    ko, en = (STRINGS[language] for language in LANGUAGES)
    assert ko.keys() == en.keys()
    for key in ko:
        assert set(NAMES.findall(ko[key])) == set(NAMES.findall(en[key])), key
        assert ko[key].strip(), key
        assert en[key].strip(), key


def test_korean_is_korean_and_english_is_not() -> None:
    alike = {"camera.quality", "site.language_ko", "site.language_en"}
    hangul = re.compile("[가-힣]")
    for key in STRINGS["ko"].keys() - alike:
        assert hangul.search(STRINGS["ko"][key]), key
        assert not hangul.search(STRINGS["en"][key]), key
