"""What is archived: sayings read, places in order, shares that leave nobody out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.archive import (
    BATCH_SAYINGS,
    DAY_MS,
    Place,
    Saying,
    number_of,
    oldest_ms,
    parse_place,
    read,
    shares,
)
from chat.core.frames import pack

NOW = 1_800_000_000_000
BOM = {"id": "id-bom", "name": "봄", "seller": False, "moderator": True, "buyer": True}
SAID = {"type": "said", "id": "s1", "from": BOM, "text": "안녕 🌸", "at_ms": NOW, "newer": [1]}
MOMENTS = st.tuples(st.integers(0, 2**43 - 1), st.integers(0, 2**20 - 1))
PLACES = st.builds(Place, st.integers(0, 2**63 - 1), st.text("aB_-.9", min_size=1))


def test_a_saying_is_read_with_what_its_author_was() -> None:
    saying = read("spring", 7, pack(SAID), shadowed=False)
    assert saying == Saying(
        id="s1",
        show="spring",
        number=7,
        author="id-bom",
        name="봄",
        badges=("moderator", "buyer"),
        text="안녕 🌸",
        at_ms=NOW,
    )
    answer = read("spring", 7, pack(SAID | {"reply_to": "s0"}), shadowed=True)
    assert answer == msgspec.structs.replace(saying, reply_to="s0", shadowed=True)


def test_a_saying_tells_its_event_again() -> None:
    told = SAID | {"reply_to": "s0"}
    saying = read("spring", 7, pack(told), shadowed=False)
    assert saying is not None
    del told["newer"]
    told["from"] = {name: value for name, value in BOM.items() if value or name == "seller"}
    assert saying.event() == told


def test_no_text_of_the_archive_has_a_nul() -> None:
    odd = SAID | {"text": "a\0b", "from": BOM | {"name": "\0봄", "a b": True, "\0": True}}
    saying = read("spring", 7, pack(odd), shadowed=False)
    assert saying is not None
    assert (saying.text, saying.name, saying.badges) == ("ab", "봄", ("moderator", "buyer"))


@pytest.mark.parametrize(
    "event",
    [
        SAID | {"type": "thinned"},
        SAID | {"from": {"id": 1, "name": "봄"}},
        SAID | {"from": "봄"},
        SAID | {"at_ms": -1},
        SAID | {"at_ms": 10**14},
        {"type": "said"},
    ],
)
def test_what_is_no_saying_is_none(event: dict[str, object]) -> None:
    assert read("spring", 7, pack(event), shadowed=False) is None


@given(st.binary(max_size=60))
def test_reading_never_raises(packed: bytes) -> None:
    assert read("spring", 7, packed, shadowed=False) is None


@given(PLACES)
def test_a_cursor_tells_its_place(place: Place) -> None:
    assert parse_place(str(place)) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        ".",
        "1.",
        ".a",
        "-1.a",
        "1,a",
        "x.a",
        "٣.a",
        "1" * 20 + ".a",
        f"{2**63}.a",
        "1_0.a",
        " 1.a",
    ],
)
def test_what_is_no_cursor_tells_none(cursor: str) -> None:
    assert parse_place(cursor) is None


@given(st.lists(PLACES))
def test_places_are_in_the_order_of_numbers_then_of_ids(places: list[Place]) -> None:
    assert sorted(places) == sorted(places, key=lambda place: (place.number, place.id))


@given(MOMENTS, MOMENTS)
def test_numbers_are_in_the_order_of_saying(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (number_of(*one) < number_of(*other)) is (one < other)
    assert number_of(*one) < 2**63


@given(st.lists(st.uuids().map(str), unique=True, max_size=300))
def test_shares_leave_no_show_out_and_are_never_too_large(shows: list[str]) -> None:
    found = [*shares(shows)]
    assert [show for share in found for show in share.shows] == shows
    assert all(0 < len(share.shows) * share.each <= BATCH_SAYINGS for share in found)
    assert all(share.each >= 10 for share in found)


def test_what_is_kept_for_a_day_is_gone_after_it() -> None:
    assert oldest_ms(NOW, 1) == NOW - DAY_MS
