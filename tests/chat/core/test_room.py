"""The rules of a room, in virtual time."""

from typing import get_args

import pytest

from chat.core.closes import COME_BACK, REASONS, Close
from chat.core.commands import Command, Heart, Hello, Say, Sync, Unsayable
from chat.core.rate_limit import (
    HEARTS,
    IDS_PAID,
    MESSAGES,
    QUESTION_COST,
    SELLER_TALK,
    SYNC_COST,
    TALK,
    TalkBucket,
)
from chat.core.refusals import MEANINGS, Reason
from chat.core.room import (
    Dismissed,
    Forbidden,
    Hearted,
    Member,
    Outcome,
    Rank,
    Refused,
    Said,
    SnapshotWanted,
    handle,
    member,
)
from chat.core.words import WordList

UNWANTED = WordList.of(["rotten*"])


def bom(*, seller: bool = False) -> Member:
    """Somebody signed in."""
    talk = TalkBucket(SELLER_TALK if seller else TALK)
    return member(("id-bom", "bom"), Rank.SELLER if seller else Rank.VIEWER, talk)


def do(who: Member, command: Command | Unsayable | None, now: float = 0.0) -> Outcome:
    """Handle a command at a time of our own."""
    return handle(command, who, now, 1_000, "s1", Forbidden(UNWANTED))


def test_what_is_said_carries_who_and_when() -> None:
    assert do(bom(seller=True), Say("c1", " \u1101\u1169\u11be ")) == Said(
        "c1",
        {
            "type": "said",
            "id": "s1",
            "from": {"id": "id-bom", "name": "bom", "seller": True, "moderator": False},
            "text": "꽃",
            "at_ms": 1_000,
        },
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("\n\t", "empty"), ("x" * 301, "too_long"), ("x" * 10_000, "too_long")],
)
def test_what_cannot_be_said(text: str, reason: Reason) -> None:
    assert do(bom(), Say("c1", text)) == Refused("c1", reason)


def test_three_hundred_code_points_are_counted_after_cleaning() -> None:
    assert isinstance(do(bom(), Say("c1", "\u1101\u1169\u11be" * 300)), Said)


@pytest.mark.parametrize("seller", [False, True])
def test_telephone_numbers_are_masked_whoever_says_them(seller: bool) -> None:
    said = do(bom(seller=seller), Say("c1", "제 번호는 010-1234-5678, 값은 32,000원"))
    assert isinstance(said, Said)
    assert said.event["text"] == "제 번호는 ***-****-****, 값은 32,000원"


def test_only_the_seller_and_moderators_say_unwanted_words() -> None:
    say = Say("c1", "what a r.o.t.t.e.n 꽃")
    assert do(bom(), say) == Refused("c1", "banned_word")
    for rank in (Rank.MODERATOR, Rank.SELLER):
        assert isinstance(do(member(("id-mo", "mo"), rank, TalkBucket(TALK)), say), Said)


def test_only_the_seller_and_moderators_say_links() -> None:
    say = Say("c1", "여기 hxxp://shop.example 더 싸요")
    assert do(bom(), say) == Refused("c1", "link")
    for rank in (Rank.MODERATOR, Rank.SELLER):
        assert isinstance(do(member(("id-mo", "mo"), rank, TalkBucket(TALK)), say), Said)


def test_a_room_may_allow_links_and_no_words_by_it() -> None:
    def said(text: str) -> Outcome:
        forbidden = Forbidden(UNWANTED, links=False)
        return handle(Say("c1", text), bom(), 0.0, 1_000, "s1", forbidden)

    assert isinstance(said("여기 http://shop.example 더 싸요"), Said)
    assert said("rotten http://shop.example") == Refused("c1", "banned_word")


def test_only_what_may_be_said_by_its_length_and_rate_is_searched() -> None:
    """Searching costs: a long or hasty text is refused for that, whatever is in it."""
    link = "http://shop.example "
    assert do(bom(), Say("c1", link * 100)) == Refused("c1", "too_long")
    who = bom()
    outcomes = [do(who, Say("c1", link)) for _ in range(6)]
    assert outcomes == [Refused("c1", "link")] * 5 + [Refused("c1", "too_fast")]


def test_only_who_is_signed_in_speaks() -> None:
    stranger = member(None, Rank.VIEWER, TalkBucket(TALK))
    assert stranger.describe() is None
    assert do(stranger, Say("c1", "hi")) == Refused("c1", "sign_in")
    assert do(stranger, Heart(2)) == Hearted(2)


def test_talk_is_slowed_and_refused_talk_costs_no_allowance() -> None:
    who = bom()
    for _ in range(10):
        do(who, Say("c", ""))
    outcomes = [do(who, Say(f"c{n}", "x")) for n in range(6)]
    assert [type(outcome) for outcome in outcomes] == [Said] * 5 + [Refused]
    assert isinstance(do(who, Say("c5", "x"), now=1.0), Said)


def test_what_is_said_again_by_the_same_id_is_paid_for_once() -> None:
    who = bom()
    outcomes = [do(who, Say("c", "x")) for _ in range(9)]
    assert all(isinstance(outcome, Said) for outcome in outcomes)
    others = [do(who, Say(f"d{n}", "x")) for n in range(5)]
    assert [type(outcome) for outcome in others] == [Said] * 4 + [Refused]
    assert isinstance(do(who, Say("c", "x")), Said)
    assert do(who, Say("d4", "x")) == Refused("d4", "too_fast")


def test_what_is_refused_again_is_paid_for_again() -> None:
    """Each time it has to be searched."""
    who = bom()
    outcomes = [do(who, Say("c", "rotten")) for _ in range(6)]
    assert outcomes == [Refused("c", "banned_word")] * 5 + [Refused("c", "too_fast")]


def test_only_the_last_sayings_are_known_to_be_paid_for() -> None:
    who = bom()
    for n in range(IDS_PAID + 1):
        assert isinstance(do(who, Say(f"c{n}", "x"), now=float(n)), Said)
    now = float(IDS_PAID)
    while isinstance(do(who, Say("new", " x"), now=now), Refused):
        now += 1
    burst = [do(who, Say(f"b{n}", "x"), now=now) for n in range(5)]
    assert Refused("b4", "too_fast") in burst
    assert do(who, Say("c0", "x"), now=now) == Refused("c0", "too_fast")


def test_every_reason_has_its_words() -> None:
    assert set(MEANINGS) == set(get_args(Reason))


def test_a_question_says_so_and_costs_more_than_other_sayings() -> None:
    who = bom()
    about_product, about_show = Say("c1", "향?", True, "tulip"), Say("c2", "언제?", True)
    outcomes = [do(who, about_product), do(who, about_show)]
    found = [each.event for each in outcomes if isinstance(each, Said)]
    told = [(each["question"], each.get("product", "none")) for each in found]
    assert told == [(True, "tulip"), (True, "none")]
    assert TALK.burst < 3 * QUESTION_COST
    assert do(who, Say("c3", "또?", True)) == Refused("c3", "too_fast")
    plain = do(who, Say("c4", "예뻐요", product="tulip"))
    assert isinstance(plain, Said)
    assert not {"question", "product"} & set(plain.event)


def test_a_seller_may_say_more() -> None:
    who = bom(seller=True)
    assert all(isinstance(do(who, Say(f"c{n}", "x")), Said) for n in range(20))


def test_hearts_above_the_rate_are_dropped() -> None:
    who = bom()
    assert [do(who, Heart(50)) for _ in range(3)] == [Hearted(50), Hearted(50), Hearted(0)]
    assert do(who, Heart(50), now=1.0) == Hearted(int(HEARTS.per_s))


def test_a_flood_is_dismissed() -> None:
    who = bom()
    outcomes = [do(who, Unsayable("c")) for _ in range(int(MESSAGES.burst) + 1)]
    assert outcomes[:-1] == [Refused("c", "malformed")] * int(MESSAGES.burst)
    assert outcomes[-1] == Dismissed(Close.TOO_MANY)


def test_snapshots_are_dearer_than_other_messages() -> None:
    who = bom()
    syncs = int(MESSAGES.burst / SYNC_COST)
    assert [do(who, Sync()) for _ in range(syncs)] == [SnapshotWanted()] * syncs
    assert do(who, Sync()) == Dismissed(Close.TOO_MANY)


@pytest.mark.parametrize("command", [None, Hello()])
def test_nonsense_and_a_second_hello_are_dismissed(command: Hello | None) -> None:
    assert do(bom(), command) == Dismissed(Close.MALFORMED)


def test_every_close_code_has_a_reason_that_fits_its_frame() -> None:
    assert set(REASONS) == set(Close) > COME_BACK
    assert all(len(reason.encode()) <= 123 for reason in REASONS.values())
    assert all(("come back" in REASONS[code]) is (code in COME_BACK) for code in Close)
