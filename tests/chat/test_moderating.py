"""Moderation as the people in a room meet it: two nodes, a real Valkey, a real PostgreSQL."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chat.core.archive import Recall, Saying
from chat.core.budget import IN_TICK, Part
from chat.core.moderation import Sanction, SanctionKind
from chat.errors import ForbiddenError, UnavailableError, UnknownError
from tests.chat.house import Viewer, watching
from tests.chat.street import Street


async def answer(viewer: Viewer, text: str, client_id: str) -> str:
    """What becomes of a saying: `accepted`, or the reason it is refused."""
    await viewer.say(text, client_id)
    told = await viewer.answer(client_id)
    return str(told.get("reason", told["type"]))


async def sanction(street: Street, kind: SanctionKind, seconds: int | None = 60) -> None:
    """`haru` sanctions `bom`."""
    await street.moderating.sanction(
        actor="id-haru",
        show="spring",
        account="id-bom",
        kind=kind,
        seconds=seconds,
        reason="flood",
    )


async def test_a_deleted_saying_leaves_every_page_and_the_history(street: Street) -> None:
    async with watching(street.other, "bom") as bom, watching(street.one) as viewer:
        await bom.say("광고")
        said = await viewer.until("said")
        await street.moderating.delete("id-haru", "spring", said["id"], "ad")
        assert street.withdrawn == [said["id"]]
        assert (await viewer.until("deleted"))["id"] == said["id"]
        assert (await bom.until("deleted"))["id"] == said["id"]
        for node in (street.one, street.other):
            async with watching(node) as late:
                assert late.seen[0]["talk"] == []
        await street.moderating.delete("id-haru", "spring", said["id"], "again")
        (noted, _) = await street.house.rulebook.trail("flowers", None, 9)
        assert (noted.deed.whom, noted.deed.detail, noted.deed.reason) == ("id-bom", "광고", "ad")
    async with watching(street.one) as late:
        assert late.seen[0]["talk"] == []


async def test_what_is_long_past_is_deleted_from_the_archive_once(street: Street) -> None:
    old = Saying(
        id="old",
        show="spring",
        number=1,
        author="id-bom",
        name="bom",
        badges=(),
        text="광고",
        at_ms=1,
    )
    await street.archive.keep([old])
    await street.moderating.report("id-bom", "spring", "old", "ad")
    for reason in ("ad", "again"):
        await street.moderating.delete("id-haru", "spring", "old", reason)
    (noted, _) = await street.house.rulebook.trail("flowers", None, 9)
    assert (noted.deed.message, noted.deed.detail, noted.deed.reason) == ("old", "광고", "ad")
    (kept,) = await street.archive.recall("spring", None, Recall(9, hidden=True))
    assert kept.deleted
    with pytest.raises(UnknownError):
        await street.moderating.report("id-bom", "spring", "old", "ad")
    with pytest.raises(ForbiddenError):
        await street.moderating.delete("id-bom", "spring", "old", "mine")


@pytest.mark.parametrize(("kind", "reason"), [("mute", "muted"), ("ban", "banned")])
async def test_a_sanction_holds_on_every_node_and_for_who_comes_later(
    street: Street, kind: SanctionKind, reason: str
) -> None:
    async with watching(street.other, "bom") as bom, watching(street.one, "dal") as dal:
        assert await answer(bom, "hi", "a") == "accepted"
        await sanction(street, kind)
        told = await bom.until("sanction")
        assert (told["kind"], told["account"]) == (kind, "id-bom")
        assert (await dal.until("sanction"))["kind"] == kind
        assert await answer(bom, "hi", "b") == reason
    async with watching(street.one, "bom") as again, watching(street.one, "dal") as dal:
        told.pop("offset")
        assert again.seen[0]["you"]["sanctions"] == [told]
        assert dal.seen[0]["you"]["sanctions"] == []
        assert await answer(again, "hi", "c") == reason
        await street.moderating.lift(
            actor="id-haru", show="spring", account="id-bom", kind=told["kind"], reason=""
        )
        await again.until_member("sanction", "lifted", True)
        assert await answer(again, "hi", "d") == "accepted"
    async with watching(street.one, "bom") as forgiven:
        assert forgiven.seen[0]["you"]["sanctions"] == []


async def lift(street: Street) -> None:
    """`haru` lifts the ban of `bom`."""
    await street.moderating.lift(
        actor="id-haru", show="spring", account="id-bom", kind="ban", reason=""
    )


async def test_what_could_not_be_told_is_told_when_it_is_done_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(street.other, "bom") as bom, watching(street.other, "haru") as haru:
        await bom.say("광고")
        message = (await haru.until("said"))["id"]
        await sanction(street, "ban", None)
        await haru.until("sanction")

        async def away(*_: object) -> None:
            raise UnavailableError

        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "deleted": lambda: street.moderating.delete("id-haru", "spring", message, ""),
            "sanction": lambda: lift(street),
            "moderator": lambda: street.moderating.appoint(
                "id-dal", "flowers", "id-haru", moderates=True
            ),
        }
        for told, act in acts.items():
            with monkeypatch.context() as patch:
                patch.setattr(street.one.chat.hub.bus, "publish", away)
                with pytest.raises(UnavailableError):
                    await act()
            await act()
            await haru.until(told)
        assert await answer(bom, "hi", "z") == "accepted"


async def test_a_saying_repeated_in_slow_mode_is_answered_as_before(street: Street) -> None:
    async with watching(street.one, "bom") as bom:
        await street.moderating.switch("id-haru", "spring", {"slow_s": 60})
        await bom.until("room")
        assert await answer(bom, "hi", "a") == "accepted"
        assert await answer(bom, "hi", "a") == "accepted"
        assert await answer(bom, "ho", "b") == "slow"
        await bom.until_member("said", "text", "hi")
        assert [event["text"] for event in bom.seen if event["type"] == "said"] == ["hi"]


async def test_slow_mode_counts_what_was_shown_on_any_node(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(IN_TICK, Part.EVERYBODY, 0)
    async with watching(street.one, "bom") as bom, watching(street.other, "bom") as again:
        await street.moderating.switch("id-haru", "spring", {"slow_s": 60})
        await bom.until("room")
        await again.until("room")
        await bom.say("hi", "a")
        assert (await bom.answer("a"))["shown"] is False
        monkeypatch.undo()
        assert await answer(bom, "hi", "b") == "accepted"
        assert await answer(again, "ho", "c") == "slow"
    async with watching(street.other, "bom") as back:
        assert await answer(back, "ho", "d") == "slow"


async def test_the_shadow_banned_reads_itself_wherever_and_whenever_it_comes(
    street: Street,
) -> None:
    async with watching(street.other, "haru") as haru, watching(street.one, "bom") as bom:
        await sanction(street, "shadow_ban", None)
        await haru.until("sanction")
        async with watching(street.other, "bom") as other:
            assert await answer(haru, "first", "a") == "accepted"
            await bom.until_member("said", "text", "first")
            assert await answer(bom, "spam", "a") == "accepted"
            assert (await other.until_member("said", "text", "spam"))["from"]["name"] == "bom"
            assert await answer(haru, "last", "b") == "accepted"
            await other.until_member("said", "text", "last")
        heard = [event["text"] for event in haru.seen if event["type"] == "said"]
        assert "spam" not in heard
    for node in (street.one, street.other):
        async with watching(node, "bom") as back, watching(node, "haru") as other:
            texts = [said["text"] for said in back.seen[0]["talk"]]
            assert texts == ["first", "spam", "last"]
            assert [said["text"] for said in other.seen[0]["talk"]] == ["first", "last"]


async def test_whether_somebody_has_bought_is_asked_once_until_an_order_of_theirs_changes(
    street: Street,
) -> None:
    async with watching(street.one, "bom") as bom, watching(street.one, "dal") as dal:
        await street.moderating.switch("id-haru", "spring", {"buyers_only": True})
        await bom.until("room")
        for client_id in ("a", "b"):
            assert await answer(bom, "hi", client_id) == "buyers_only"
        assert street.house.asked == ["id-bom"]
        street.house.buyers.add("id-bom")
        order = {"type": "order", "order": {"id": "o1", "buyer": "id-bom", "state": "paid"}}
        await street.other.chat.publish("spring", order, "seller")
        await dal.until("order")
        for client_id in ("c", "d"):
            assert await answer(bom, "hi", client_id) == "accepted"
        assert street.house.asked == ["id-bom"] * 2
        assert not [event for event in bom.seen if event["type"] == "order"]


async def test_who_follows_may_speak_in_a_room_for_followers(street: Street) -> None:
    async with watching(street.one, "bom") as bom, watching(street.other, "haru") as haru:
        await street.moderating.switch("id-haru", "spring", {"followers_only": True})
        await bom.until("room")
        assert await answer(bom, "hi", "a") == "followers_only"
        street.house.followers.add("id-bom")
        followed = {"type": "followed", "account": "id-bom", "follows": True}
        await street.other.chat.publish("spring", followed, "@id-bom")
        assert (await bom.until("followed"))["follows"] is True
        assert await answer(bom, "hi", "b") == "accepted"
        await haru.until("room")
        assert await answer(haru, "hi", "c") == "accepted"
        assert not [event for event in haru.seen if event["type"] == "followed"]


async def test_links_are_for_everybody_where_the_room_says_so(street: Street) -> None:
    async with watching(street.other, "bom") as bom:
        assert await answer(bom, "http://shop.example", "a") == "link"
        await street.moderating.switch("id-haru", "spring", {"links_allowed": True})
        assert (await bom.until("room"))["links_allowed"] is True
        assert await answer(bom, "http://shop.example", "b") == "accepted"
        await street.moderating.switch("id-haru", "spring", {"links_allowed": False})
        await bom.until("room")
        assert await answer(bom, "http://shop.example", "c") == "link"


async def test_who_has_bought_wears_a_badge_from_the_order_on(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def heard(viewer: Viewer, text: str) -> Any:
        return (await viewer.until_member("said", "text", text))["from"]

    street.house.buyers.add("id-haru")
    async with (
        watching(street.one, "bom") as bom,
        watching(street.one, "haru") as haru,
        watching(street.other, "dal") as dal,
    ):
        await bom.say("before", "a")
        plain = {"id": "id-bom", "name": "bom", "seller": False, "moderator": False}
        assert await heard(dal, "before") == plain
        street.house.buyers.add("id-bom")
        order = {"type": "order", "order": {"buyer": "id-bom"}}
        await street.other.chat.publish("spring", order, "seller")
        await street.other.chat.publish("spring", {"type": "ended"})
        await bom.until("ended")
        await bom.say("after", "b")
        assert await heard(dal, "after") == plain | {"buyer": True}
        monkeypatch.setitem(IN_TICK, Part.EVERYBODY, 0)
        await bom.say("still heard", "c")
        assert (await heard(dal, "still heard"))["buyer"] is True
        await haru.say("a moderator is one")
        assert "buyer" not in await heard(dal, "a moderator is one")


async def test_talk_goes_on_without_badges_while_orders_cannot_be_looked_at(
    street: Street,
) -> None:
    async with watching(street.one, "thief") as thief:
        await thief.say("hi")
        assert "buyer" not in (await thief.until("said"))["from"]


async def test_who_cannot_be_looked_up_is_told_so_and_stays(street: Street) -> None:
    async with watching(street.one, "thief") as thief:
        await street.moderating.switch("id-haru", "spring", {"buyers_only": True})
        await thief.until("room")
        assert await answer(thief, "hi", "a") == "unavailable"
        await street.moderating.switch("id-haru", "spring", {"buyers_only": False})
        await thief.until("room")
        assert await answer(thief, "hi", "b") == "accepted"


async def test_a_mute_asked_for_twice_by_one_key_ends_when_it_would_have(street: Street) -> None:
    async def mute(key: str, actor: str = "id-haru") -> Sanction:
        return await street.moderating.sanction(
            actor=actor,
            show="spring",
            account="id-bom",
            kind="mute",
            seconds=600,
            reason="",
            key=key,
        )

    first = await mute("k1")
    assert await mute("k1") == first
    longer = await mute("k2")
    assert (longer.version, longer.until_ms) > (first.version, first.until_ms)
    assert await mute("k1") == longer
    assert (await mute("k1", actor="id-dal")).version == longer.version + 1
    await street.moderating.lift(
        actor="id-haru", show="spring", account="id-bom", kind="mute", reason=""
    )
    assert (await mute("k2")).lifted
    overview = await street.moderating.overview("id-haru", "spring", 0, None)
    assert overview.names == {"id-bom": "bom", "id-dal": "dal", "id-haru": "haru"}
    assert [noted.deed.what for noted in overview.trail].count("sanction") == 3


async def test_the_shadow_banned_reads_itself_and_nobody_else_does(street: Street) -> None:
    async with (
        watching(street.other, "bom") as bom,
        watching(street.other, "haru") as haru,
        watching(street.one) as viewer,
    ):
        await sanction(street, "shadow_ban", None)
        await haru.until("sanction")
        assert await answer(bom, "spam", "a") == "accepted"
        assert (await bom.until("said"))["text"] == "spam"
        assert await answer(haru, "after", "b") == "accepted"
        assert (await viewer.until("said"))["text"] == "after"
        assert (await haru.until("said"))["text"] == "after"
        assert not [event for event in bom.seen if event["type"] == "sanction"]
    async with watching(street.one) as late:
        assert [said["text"] for said in late.seen[0]["talk"]] == ["after"]


async def test_switches_bind_viewers_on_every_node_and_not_moderators(street: Street) -> None:
    async with watching(street.other, "bom") as bom, watching(street.one, "haru") as haru:
        await street.moderating.switch("id-dal", "spring", {"frozen": True})
        assert (await bom.until("room"))["frozen"] is True
        assert await answer(bom, "hi", "a") == "frozen"
        await haru.until("room")
        assert await answer(haru, "hi", "b") == "accepted"
        await street.moderating.switch("id-dal", "spring", {"frozen": False, "slow_s": 120})
        await bom.until("room")
        assert await answer(bom, "hi", "c") == "accepted"
        await bom.say("hi", "d")
        refused = await bom.until("refused")
        assert refused["reason"] == "slow"
        assert 0 < refused["until_ms"] - time.time() * 1_000 <= 120_000
        await street.moderating.switch("id-dal", "spring", {"slow_s": 0, "buyers_only": True})
        await bom.until("room")
        assert await answer(bom, "hi", "e") == "buyers_only"
    async with watching(street.other) as late:
        assert late.seen[0]["room"]["buyers_only"] is True


async def test_a_report_reaches_the_moderators_alone(street: Street) -> None:
    async with watching(street.other, "bom") as bom, watching(street.other, "haru") as haru:
        await bom.say("광고")
        said = await haru.until("said")
        for _ in range(2):
            await street.moderating.report("id-nari", "spring", said["id"], "spam")
        report = (await haru.until("reported"))["report"]
        assert (report["text"], report["reporter"]) == ("광고", "id-nari")
        assert len((await street.moderating.overview("id-haru", "spring", 0, None)).reports) == 1
        await street.moderating.settle("id-haru", "spring", report["id"])
        await haru.until("settled")
        assert await answer(bom, "hi", "b") == "accepted"
        assert not [event for event in bom.seen if event["type"] in {"reported", "settled"}]


async def test_who_is_dismissed_is_a_viewer_at_once(street: Street) -> None:
    async with watching(street.other, "haru") as haru, watching(street.other, "dal") as dal:
        await street.moderating.switch("id-haru", "spring", {"frozen": True})
        await haru.until("room")
        assert await answer(haru, "hi", "a") == "accepted"
        await street.moderating.appoint("id-dal", "flowers", "id-haru", moderates=False)
        await dal.until("moderator")
        assert await answer(haru, "hi", "b") == "frozen"
        told = await haru.until("moderator")
        assert (told["account"], told["moderates"]) == ("id-haru", False)


async def test_nobody_moderates_without_the_right_to(street: Street) -> None:
    moderating = street.moderating
    await moderating.appoint("id-dal", "flowers", "id-nari", moderates=True)
    for whom in ("id-dal", "id-nari", "id-haru"):
        with pytest.raises(ForbiddenError):
            await moderating.sanction(
                actor="id-haru", show="spring", account=whom, kind="ban", seconds=1, reason=""
            )
    with pytest.raises(ForbiddenError):
        await moderating.switch("id-bom", "spring", {"frozen": True})
    with pytest.raises(ForbiddenError):
        await moderating.overview("id-bom", "spring", 0, None)
    with pytest.raises(ForbiddenError):
        await moderating.appoint("id-haru", "flowers", "id-bom", moderates=True)
    with pytest.raises(UnknownError):
        await moderating.switch("id-dal", "winter", {"frozen": True})
    with pytest.raises(UnknownError):
        await moderating.report("id-bom", "spring", "nothing", "")
