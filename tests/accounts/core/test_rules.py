"""Emails, names and passwords: what is kept, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.accounts.core import rules


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Flower@Example.COM ", "flower@example.com"),
        ("꽃@꽃집.kr", "꽃@꽃집.kr"),
        ("ａ@example.com", "a@example.com"),
        ("a@localhost", "a@localhost"),
    ],
)
def test_emails_are_found_again_however_typed(typed: str, kept: str) -> None:
    assert rules.email(typed) == kept
    assert rules.email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "a",
        "a@",
        "@b.c",
        "a@@b.c",
        "a b@c.d",
        "a@b..c",
        "a@.b",
        "a@b\x00",
        "x" * 65 + "@b.c",
        "a@" + "b" * 260,
        "a\u202e@b.c",
    ],
)
def test_what_is_no_email(typed: str) -> None:
    assert rules.email(typed) is None


def test_names_are_visible_and_short() -> None:
    assert rules.name("  꽃   가게 ") == "꽃 가게"
    assert rules.name("👩\u200d🌾") == "👩\u200d🌾"
    assert rules.name("x" * 40) is not None
    for refused in ("", " ", "x" * 41, "a\x07", "\u202e", "\u200d", "a\ud800"):
        assert rules.name(refused) is None


def test_passwords_are_measured_in_nfkc() -> None:
    assert rules.password("x" * 9) is None
    assert rules.password("x" * 10) == "x" * 10
    assert rules.password("x" * 200) is not None
    assert rules.password("x" * 201) is None
    assert rules.password("e\u0301" * 10) == "é" * 10
    assert rules.password("e\u0301" * 9) is None


@given(st.text(max_size=300))
def test_rules_never_raise_and_settle_at_once(text: str) -> None:
    for rule in (rules.email, rules.name, rules.password):
        kept = rule(text)
        assert kept is None or rule(kept) == kept


def test_locale_is_one_we_speak() -> None:
    assert [rules.locale(text) for text in ("ko", "en", "fr", None)] == ["ko", "en", "ko", "ko"]
