"""A person is erased: nothing that Valkey, PostgreSQL or a page has tells what they said."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.adapters import redis_keys
from chat.adapters.archive import LOCK, SqlArchive
from chat.adapters.erasures import SqlErasures
from chat.adapters.question_book import SqlQuestionBook
from chat.adapters.redis_answers import RedisAnswers
from chat.adapters.rulebook import SqlRulebook
from chat.archiving import Archivist
from chat.core.archive import Recall, Saying
from chat.core.assistant.facts import Answered
from chat.core.budget import Part
from chat.core.frames import Event, Lane, pack
from chat.core.moderation import Rules
from chat.core.questions import Origin, Question
from chat.erasing import BY_THEMSELVES, OWN_EVERY_S, Erasing
from chat.errors import TooOftenError, UnavailableError
from chat.moderating import Moderating
from chat.ports import Room
from chat.questioning import Questioning
from live.server.schema import make_engine
from tests.chat.house import PATIENCE_S, House, Node, Viewer, back, open_node, watching

TEXT = "무궁화 꽃이"
"""What Bom says begins so, and nobody else says it."""
NAME = "bombom"
BOM = f"id-{NAME}"


class RuledHouse(House):
    """A house whose rules are in a rulebook; `dal` sells, `haru` moderates."""

    def __init__(self, rulebook: SqlRulebook) -> None:
        super().__init__()
        self._rulebook = rulebook

    async def describe(self, show: str) -> Room | None:
        """With the rules as they are."""
        rules: Rules = await self._rulebook.rules("flowers", show, 0)
        products = [{"id": "tulip", "free": 1}]
        moderators = frozenset({"id-haru"})
        return Room("live", True, None, products, "id-dal", moderators, "flowers", rules)


@dataclass(frozen=True)
class Street:
    """Two nodes of one house, and who acts on the first."""

    engine: AsyncEngine
    client: Redis
    one: Node
    other: Node
    moderating: Moderating
    archivist: Archivist
    archive: SqlArchive
    erasing: Erasing
    questioning: Questioning
    forgotten: list[str]
    """Of whom others than the chat were told."""


@pytest_asyncio.fixture
async def street(redis_url: str, migrated_url: str) -> AsyncIterator[Street]:
    """A street whose shows are both open."""
    engine = make_engine(migrated_url)
    rulebook, archive = SqlRulebook(engine), SqlArchive(engine)
    house = RuledHouse(rulebook)

    async def owner_of(_store: str) -> str | None:
        return "id-dal"

    async def open_shows(_store: str) -> list[str]:
        return ["spring", "autumn"]

    forgotten: list[str] = []

    async def elsewhere(account: str) -> None:
        forgotten.append(account)

    async def names_of(_accounts: object) -> dict[str, str]:
        return {}

    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        client = await closing.enter_async_context(Redis.from_url(redis_url))
        one = await closing.enter_async_context(open_node(redis_url, house, "one"))
        other = await closing.enter_async_context(open_node(redis_url, house, "other"))
        hub = one.chat.hub
        questioning = Questioning(hub, SqlQuestionBook(engine), open_shows)
        hub.ask = other.chat.hub.ask = questioning.ask
        moderating = Moderating(
            *(hub, rulebook, owner_of, open_shows, questioning.withdraw, archive, names_of)
        )
        told = (questioning.withdraw, open_shows, elsewhere)
        erasing = Erasing(hub, SqlErasures(engine), rulebook, *told)
        acting = (moderating, one.chat.archivist(archive, 30), archive, erasing, questioning)
        yield Street(engine, client, one, other, *acting, forgotten)


async def everything_kept(street: Street) -> str:
    """All that PostgreSQL and Valkey have, as one text."""
    found: list[object] = []
    async with street.engine.connect() as connection:
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        for table in (await connection.scalars(sa.text(names))).all():
            rows = await connection.scalars(sa.text(f'SELECT CAST(t AS text) FROM "{table}" t'))
            found += rows.all()
    async for key in street.client.scan_iter():
        found.append(await _value(street.client, key))
    return "\n".join(map(_readable, found))


async def _value(client: Any, key: bytes) -> object:
    kind = (await client.type(key)).decode()
    read = {
        "stream": lambda: client.xrange(key),
        "hash": lambda: client.hgetall(key),
        "list": lambda: client.lrange(key, 0, -1),
        "zset": lambda: client.zrange(key, 0, -1),
        "string": lambda: client.get(key),
    }
    return await read[kind]()


def _readable(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return _readable([*value.items()])
    if isinstance(value, list | tuple):
        return " ".join(map(_readable, value))
    return str(value)


async def say(viewer: Viewer, text: str) -> str:
    """Say something; its id."""
    await viewer.say(text, text[-20:])
    said = await viewer.until_member("said", "text", text)
    return str(said["id"])


async def live_through(street: Street, bom: Viewer) -> None:
    """Bom says, asks and is moderated; something of it is left in every place that there is."""
    moderating = street.moderating
    pinned, deleted = [await say(bom, f"{TEXT} {number}") for number in range(2)]
    await bom.send({"type": "say", "id": "q", "text": f"{TEXT} 향기?", "question": True})
    await bom.until_member("said", "text", f"{TEXT} 향기?")
    await moderating.report("id-haru", "spring", pinned, "spam")
    await moderating.pin("id-haru", "spring", pinned)
    await moderating.delete("id-haru", "spring", deleted, "off topic")
    await moderating.sanction(
        actor="id-haru", show="spring", account=BOM, kind="shadow_ban", seconds=60, reason=""
    )
    await bom.until_member("room", "version", 1)
    async with watching(street.one, NAME) as again:
        await say(again, f"{TEXT} 몰래")
    answered = Answered(1, BOM, f"{TEXT} 값?", "만원", "price", False)
    await RedisAnswers(street.client).note("spring", answered)


async def test_nothing_that_was_kept_tells_what_an_erased_person_said(street: Street) -> None:
    async with (
        watching(street.one, NAME) as bom,
        watching(street.other, "dal") as dal,
        watching(street.other, "haru", "autumn") as haru,
    ):
        await live_through(street, bom)
        await say(dal, "다른 말")
        await say(haru, "가을 말")
        await street.archivist.archive_said()
        before = await everything_kept(street)
        assert TEXT in before
        assert NAME in before.replace(BOM, "")
        erasure = await street.erasing.erase(BOM, BY_THEMSELVES)
        assert erasure.sayings == 4
        assert street.forgotten == [BOM]
        after = await everything_kept(street)
        assert TEXT not in after
        assert NAME not in after.replace(BOM, "")
        assert "다른 말" in after
        assert "가을 말" in after
        last = await dal.until("room", lambda event: event["version"] == 2)
        assert last["pinned_saying"] is None
        await say(dal, "그 다음 말")  # comes after all that was told of the erasure
        gone = {event["id"] for event in dal.seen if event["type"] == "deleted"}
        shown = {event["id"] for event in dal.seen if _of_bom(event)}
        assert gone >= shown
        for node in (street.one, street.other):
            async with watching(node) as late:
                talk = [said["text"] for said in late.seen[0]["talk"]]
                assert talk == ["다른 말", "그 다음 말"]
    assert (await street.erasing.erase(BOM, BY_THEMSELVES)).sayings == 0


def _of_bom(event: dict[str, Any]) -> bool:
    return event["type"] == "said" and bool(event["from"]["id"] == BOM)


async def test_what_waits_for_the_archive_is_not_archived_any_more(street: Street) -> None:
    async with watching(street.one, NAME) as bom:
        await say(bom, f"{TEXT} 하나")
        assert (await street.erasing.erase(BOM, BY_THEMSELVES)).sayings == 0
        await say(bom, "다시 왔어요")
        await street.archivist.archive_said()
    kept = await street.archive.recall("spring", None, Recall(9, hidden=True))
    assert [each.saying.text for each in kept] == ["다시 왔어요"]
    assert TEXT not in await everything_kept(street)


async def test_an_erasure_that_failed_half_way_is_whole_when_it_is_repeated(
    street: Street,
) -> None:
    async with watching(street.one, NAME) as bom:
        await live_through(street, bom)
    await street.archivist.archive_said()
    await street.client.delete(redis_keys.log("spring"))
    await street.client.set(redis_keys.log("spring"), "no stream")
    with pytest.raises(UnavailableError):
        await street.erasing.erase(BOM, BY_THEMSELVES)
    assert TEXT in await everything_kept(street)
    await street.client.delete(redis_keys.log("spring"))
    assert (await street.erasing.erase(BOM, BY_THEMSELVES)).sayings == 4
    assert TEXT not in await everything_kept(street)


async def test_an_old_question_leaves_every_show_that_was_told_its_answer(street: Street) -> None:
    await SqlQuestionBook(street.engine).keep(question(at_ms=1), Origin.VIEWER, "q")
    async with watching(street.other, "haru", "autumn") as haru:
        welcome = haru.seen[0]
        await street.questioning.answer("id-haru", "spring", "q1", "네")
        await haru.until("answered")
        await street.erasing.erase(BOM, BY_THEMSELVES)
        after = await everything_kept(street)
        assert TEXT not in after
        assert NAME not in after.replace(BOM, "")
        assert BOM not in after.replace(await _erased_row(street), "")
        await haru.until_member("answered", "state", "dismissed")
        since = (welcome["epoch"], welcome["offset"])
        async with back(street.other, "haru", *since, show="autumn") as returner:
            told = await returner.until("welcome")
        assert not told["recovered"]
        assert TEXT not in str(returner.seen)


async def test_a_room_that_never_heard_of_the_person_forgets_nothing(street: Street) -> None:
    async with watching(street.one, "haru", "autumn") as haru, watching(street.one, NAME):
        await say(haru, "가을 말")
        welcome = haru.seen[0]
        await street.one.chat.publish("autumn", {"type": "bench", "number": 1})
        await haru.until("bench")
        await street.erasing.erase(BOM, BY_THEMSELVES)
        since = (welcome["epoch"], welcome["offset"])
        async with back(street.one, "haru", *since, show="autumn") as returner:
            assert (await returner.until("welcome"))["recovered"]
            await returner.until("bench")


async def test_nodes_that_could_not_be_told_are_told_when_it_is_repeated(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = street.one.chat.hub
    publish = hub.publish

    async def cut_off(show: str, event: Any, to: str = "", key: str | None = None) -> None:
        if event["type"] == "forgotten":
            raise UnavailableError
        await publish(show, event, to, key)

    async with watching(street.other, "dal") as dal, watching(street.one, NAME) as bom:
        welcome = dal.seen[0]
        await bom.send({"type": "say", "id": "q", "text": f"{TEXT} 향기?", "question": True})
        await dal.until("question")
        monkeypatch.setattr(hub, "publish", cut_off)
        with pytest.raises(UnavailableError):
            await street.erasing.erase(BOM, BY_THEMSELVES)
        monkeypatch.undo()
        await street.erasing.erase(BOM, BY_THEMSELVES)
        async with back(street.other, "dal", welcome["epoch"], welcome["offset"]) as returner:
            assert not (await returner.until("welcome"))["recovered"]
            assert TEXT not in str(returner.seen)


def question(at_ms: int) -> Question:
    """What Bom asked in the spring."""
    return Question(
        id="q1",
        show="spring",
        store="flowers",
        asker=BOM,
        name=NAME,
        text=f"{TEXT} 향기?",
        product="tulip",
        handed_over=False,
        asked_at_ms=at_ms,
    )


async def test_what_was_asked_before_an_erasure_is_not_kept_after_it(street: Street) -> None:
    book = SqlQuestionBook(street.engine)
    erasure = await street.erasing.erase(BOM, BY_THEMSELVES)
    with pytest.raises(UnavailableError):
        await book.keep(question(erasure.until_ms), Origin.VIEWER, "q")
    assert TEXT not in await everything_kept(street)
    after = question(erasure.until_ms + 1)
    assert await book.keep(after, Origin.VIEWER, "q") == after


async def test_what_is_pinned_is_erased_though_the_archive_has_it_no_more(street: Street) -> None:
    async with watching(street.one, NAME) as bom:
        pinned = await say(bom, f"{TEXT} 하나")
        await street.moderating.pin("id-haru", "spring", pinned)
        await bom.until_member("room", "version", 1)
        await street.erasing.erase(BOM, BY_THEMSELVES)
        assert (await bom.until("room"))["pinned_saying"] is None
    await street.archivist.archive_said()
    assert TEXT not in await everything_kept(street)


async def test_what_was_on_its_way_when_an_erasure_began_is_erased(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = street.one.chat.hub.bus
    said_by = bus.said_by

    async def arriving(show: str, account: str, until_ms: int) -> Sequence[str]:
        found = await said_by(show, account, until_ms)
        monkeypatch.undo()
        author = {"seller": False, "id": BOM, "name": NAME}
        late = {"type": "said", "id": "late", "from": author, "text": TEXT, "at_ms": until_ms}
        await bus.say(show, Event(Lane.TALK, pack(late)), "late", Part.EVERYBODY)
        return found

    monkeypatch.setattr(bus, "said_by", arriving)
    async with watching(street.other, "dal") as dal:
        await say(dal, "다른 말")
        await street.erasing.erase(BOM, BY_THEMSELVES)
        assert (await dal.until("deleted"))["id"] == "late"
        await street.archivist.archive_said()
        assert TEXT not in await everything_kept(street)


async def test_what_was_said_long_ago_is_found_where_it_may_be_remembered(street: Street) -> None:
    await street.archive.keep([saying(0)])
    said = pack({"id": "s0", "from": {"id": BOM}, "text": TEXT, "at_ms": 0})
    await street.client.xadd(redis_keys.talk("spring"), {"said": said}, "1-0")
    await street.erasing.erase(BOM, BY_THEMSELVES)
    assert TEXT not in await everything_kept(street)


async def _erased_row(street: Street) -> str:
    async with street.engine.connect() as connection:
        return str(await connection.scalar(sa.text("SELECT CAST(t AS text) FROM chat_erasures t")))


async def test_a_person_erases_itself_once_a_minute_and_again_where_it_failed(
    street: Street,
) -> None:
    async with watching(street.one, "dal") as dal:
        await say(dal, "다른 말")
    await street.client.delete(redis_keys.log("spring"))
    await street.client.set(redis_keys.log("spring"), "no stream")
    with pytest.raises(UnavailableError):
        await street.erasing.erase_own(BOM)
    await street.client.delete(redis_keys.log("spring"))
    await street.erasing.erase_own(BOM)
    with pytest.raises(TooOftenError) as refused:
        await street.erasing.erase_own(BOM)
    assert 0 < refused.value.facts["retry_after_s"] <= OWN_EVERY_S
    await street.erasing.erase_own("id-haru")
    await street.erasing.erase(BOM, "operator")


async def test_it_is_known_that_it_happened_and_who_asked(street: Street) -> None:
    await street.archive.keep([saying(number) for number in range(3)])
    first = await street.erasing.erase(BOM, BY_THEMSELVES)
    await street.archive.keep([saying(0)])
    second = await street.erasing.erase(BOM, "operator")
    query = sa.text("SELECT account, asked_by, sayings FROM chat_erasures")
    async with street.engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    assert [tuple(row) for row in rows] == [(BOM, "operator", 3)]
    assert (first.sayings, second.sayings) == (3, 0)


def saying(number: int) -> Saying:
    """Something Bom said long ago."""
    return Saying(
        id=f"s{number}",
        show="spring",
        number=number,
        author=BOM,
        name=NAME,
        badges=(),
        text=TEXT,
        at_ms=number,
    )


async def test_an_erasure_waits_for_what_is_being_archived(street: Street) -> None:
    async with street.engine.begin() as archiving:
        await archiving.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(LOCK)))
        await archiving.execute(
            sa.text(
                "INSERT INTO chat_sayings SELECT 's', 'spring', 1, :bom, :name, '{}', :text,"
                " to_timestamp(0), NULL, false"
            ),
            {"bom": BOM, "name": NAME, "text": TEXT},
        )
        erasing = asyncio.create_task(street.erasing.erase(BOM, BY_THEMSELVES))
        waiting = sa.text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        )
        async with asyncio.timeout(PATIENCE_S), street.engine.connect() as watching_:
            while not await watching_.scalar(waiting):
                pass
        assert not erasing.done()
    assert (await erasing).sayings == 1
