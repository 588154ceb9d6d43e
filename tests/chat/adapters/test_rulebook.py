"""The rules of rooms in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from chat.adapters.moderation_tables import metadata
from chat.adapters.rulebook import SqlRulebook
from chat.core.deeds import REPORTS_OPEN, Deed, Report
from chat.core.moderation import PinnedSaying, Sanction, Settings
from chat.errors import TooManyError

NOW = 1_800_000_000_000
replace = msgspec.structs.replace


@pytest_asyncio.fixture
async def rulebook(database_url: str) -> AsyncIterator[SqlRulebook]:
    """A rulebook on the room's tables."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield SqlRulebook(engine)
    await engine.dispose()


def deed(what: str, whom: str | None = None, reason: str = "") -> Deed:
    """Something `dal` does in the show `spring`."""
    return Deed(
        store="flowers", show="spring", actor="dal", what=what, whom=whom, reason=reason, at_ms=NOW
    )


def report(message: str, reporter: str = "haru") -> Report:
    """A report of something `bom` said."""
    return Report(
        show="spring",
        message=message,
        author="bom",
        name="봄",
        text="광고",
        reporter=reporter,
        reason="spam",
        at_ms=NOW,
    )


async def test_a_sanction_holds_in_its_store_until_it_ends_or_is_lifted(
    rulebook: SqlRulebook,
) -> None:
    muted = await rulebook.sanction(deed("sanction", "bom", "flood"), "mute", NOW + 60_000)
    banned = await rulebook.sanction(deed("sanction", "bom"), "ban", None)
    rules = await rulebook.rules("flowers", "spring", NOW)
    assert dict(rules.sanctions) == {("bom", "mute"): muted, ("bom", "ban"): banned}
    assert (await rulebook.rules("flowers", "autumn", NOW)).sanctions == rules.sanctions
    assert not (await rulebook.rules("toys", "spring", NOW)).sanctions
    assert [*(await rulebook.rules("flowers", "spring", NOW + 60_000)).sanctions] == [
        ("bom", "ban")
    ]
    for _ in range(2):
        lifted = await rulebook.lift(deed("lift", "bom"), "ban")
        assert lifted == Sanction("bom", "ban", None, 2, lifted=True)
    trail = await rulebook.trail("flowers", None, 9)
    assert [noted.deed.what for noted in trail] == ["lift", "sanction", "sanction"]
    assert await rulebook.lift(deed("lift", "haru"), "ban") is None
    assert [*(await rulebook.rules("flowers", "spring", NOW)).sanctions] == [("bom", "mute")]


async def test_the_same_again_is_no_deed(rulebook: SqlRulebook) -> None:
    first = await rulebook.sanction(deed("sanction", "bom"), "mute", NOW + 5)
    assert await rulebook.sanction(deed("sanction", "bom"), "mute", NOW + 5) == first
    longer = await rulebook.sanction(deed("sanction", "bom"), "mute", None)
    assert longer.version == first.version + 1
    assert await rulebook.appoint(deed("appoint", "haru"))
    assert not await rulebook.appoint(deed("appoint", "haru"))
    assert await rulebook.moderators("flowers") == {"haru"}
    assert await rulebook.dismiss(deed("dismiss", "haru"))
    assert not await rulebook.dismiss(deed("dismiss", "haru"))
    trail = await rulebook.trail("flowers", None, 10)
    assert [noted.deed.what for noted in trail] == ["dismiss", "appoint", "sanction", "sanction"]


async def test_many_at_once_get_versions_of_their_own(rulebook: SqlRulebook) -> None:
    ends = range(NOW, NOW + 8)
    sanctions = await asyncio.gather(
        *(rulebook.sanction(deed("sanction", "bom"), "mute", end + 9) for end in ends)
    )
    assert sorted(each.version for each in sanctions) == [*range(1, 9)]
    last = max(sanctions, key=lambda each: each.version)
    assert (await rulebook.rules("flowers", "spring", NOW)).sanctions["bom", "mute"] == last

    def slower(settings: Settings) -> Settings:
        return replace(settings, slow_s=settings.slow_s + 1)

    switched = await asyncio.gather(*(rulebook.switch(deed("set"), slower) for _ in range(8)))
    assert sorted((each.version, each.slow_s) for each in switched) == [
        (count, count) for count in range(1, 9)
    ]


async def test_switches_are_a_shows_and_the_pinned_saying_is_kept(rulebook: SqlRulebook) -> None:
    pinned = PinnedSaying("s1", "달", "오늘만 반값 🌸")

    def pin(settings: Settings) -> Settings:
        return replace(settings, pinned_saying=pinned, frozen=True)

    now = await rulebook.switch(deed("pin"), pin)
    assert now == Settings(frozen=True, pinned_saying=pinned, version=1)
    assert await rulebook.switch(deed("pin"), pin) == now
    assert (await rulebook.rules("flowers", "spring", NOW)).settings == now
    assert (await rulebook.rules("flowers", "autumn", NOW)).settings == Settings()
    assert len(await rulebook.trail("flowers", None, 10)) == 1


async def test_a_person_reports_a_saying_once_and_not_endlessly(rulebook: SqlRulebook) -> None:
    kept = await rulebook.report(report("s1"))
    assert kept is not None
    assert await rulebook.report(report("s1")) is None
    assert await rulebook.report(report("s1", "nari")) is not None
    for count in range(1, REPORTS_OPEN):
        await rulebook.report(report(f"more{count}"))
    with pytest.raises(TooManyError):
        await rulebook.report(report("one-more"))
    (first, second) = await rulebook.reports("spring", 0, 2)
    assert first == kept
    assert [each.id for each in await rulebook.reports("spring", first.id, 1)] == [second.id]
    assert await rulebook.settle(deed("settle"), first.id)
    assert not await rulebook.settle(deed("settle"), first.id)
    assert not await rulebook.settle(replace(deed("settle"), show="autumn"), second.id)
    assert (await rulebook.reports("spring", 0, 1))[0].id == second.id
    assert await rulebook.report(report("one-more")) is not None


async def test_the_trail_tells_who_what_whom_when_and_why_page_by_page(
    rulebook: SqlRulebook,
) -> None:
    deeds = [deed("delete", "bom", f"reason {count}") for count in range(5)]
    for each in deeds:
        await rulebook.note(replace(each, message="s1"))
    newest = await rulebook.trail("flowers", None, 2)
    older = await rulebook.trail("flowers", newest[-1].id, 9)
    told = [noted.deed for noted in (*newest, *older)]
    assert told == [replace(each, message="s1") for each in reversed(deeds)]
    assert await rulebook.trail("toys", None, 9) == []
