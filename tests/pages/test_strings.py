"""Every string that is used exists, and every string that exists is used."""

import re
from collections.abc import Iterable
from pathlib import Path

from cart.core.draft import Rule
from chat.core.moderation import Action
from chat.core.refusals import MEANINGS
from live.pages.language import STRINGS

PAGES = Path(__file__).parents[2] / "live" / "pages"
KEY = r"[a-z]+\.[a-z0-9_]+"
USED = re.compile(rf"""["']({KEY})["']""")
USED_BY_PREFIX = re.compile(r"""[`'"]([a-z]+\.[a-z0-9_]*)(?:\$\{|['"]\s*~)""")


def _sources() -> str:
    files = [*PAGES.glob("templates/**/*.html"), *PAGES.glob("static/js/*.js")]
    assert len(files) > 20
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _missing(sources: str, known: Iterable[str]) -> set[str]:
    return {
        key
        for key in re.findall(rf"""\b(?:t|words)\(\s*["']({KEY})["']""", sources)
        if key not in set(known) and not key.endswith("_")
    }


def test_every_string_used_exists() -> None:
    assert _missing(_sources(), STRINGS["ko"]) == set()
    assert _missing("t('home.nowhere')", STRINGS["ko"]) == {"home.nowhere"}


def test_every_prefix_used_has_strings() -> None:
    prefixes = set(USED_BY_PREFIX.findall(_sources()))
    assert "order.state_" in prefixes
    for prefix in prefixes:
        assert any(key.startswith(prefix) for key in STRINGS["ko"]), prefix


def test_every_string_is_used() -> None:
    sources = _sources()
    used = set(USED.findall(sources))
    prefixes = tuple(USED_BY_PREFIX.findall(sources))
    assert {key for key in STRINGS["ko"] if key not in used and not key.startswith(prefixes)} == (
        set()
    )


def test_each_state_of_an_order_and_each_refusal_has_its_words() -> None:
    for state in ("placed", "paying", "paid", "cancelled", "expired"):
        for part in ("state", "title", "detail"):
            assert f"order.{part}_{state}" in STRINGS["ko"]
    for reason in (*MEANINGS, "thinned"):
        assert f"talk.refused_{reason}" in STRINGS["ko"]
    for action in set(Action) - {Action.REPORT, Action.READ}:
        assert f"house.did_{action.value}" in STRINGS["ko"]
    for rule in Rule:
        assert f"sheet.rule_{rule.value}" in STRINGS["ko"]
    for grade in ("good", "fair", "poor"):
        assert f"camera.quality_{grade}" in STRINGS["ko"]
