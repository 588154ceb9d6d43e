"""The operator sees the media of every show and erases persons, and nobody else does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.adapters.archive import SqlArchive
from chat.adapters.erasures import SqlErasures
from chat.adapters.rulebook import SqlRulebook
from chat.core.archive import Recall, Saying
from chat.erasing import Erasing
from live.server.app import build_app
from live.server.operator import operator_doors
from tests.chat.house import House, open_node
from tests.relay.test_broadcast import SHOW, Stage, frames
from tests.server.test_operations import Named

TOKEN = "an operator's token of thirty-two characters"
DOORS = [("GET", "/media"), ("DELETE", "/accounts/id-bom/chat")]


@dataclass(frozen=True)
class Desk:
    """A node's operator's doors behind a token; `archive` is what may be erased from."""

    stage: Stage
    erasing: Erasing
    archive: SqlArchive

    def client(self, token: str = TOKEN) -> httpx.AsyncClient:
        """Whoever comes to the doors; the operator has this token."""
        doors = operator_doors(self.stage.relay, self.erasing, token)
        app = build_app([doors], Named(), {}, version="0")
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kkot.test")


@pytest_asyncio.fixture
async def desk(engine: AsyncEngine, redis_url: str) -> AsyncIterator[Desk]:
    """The doors, with nothing behind them yet."""

    async def withdraw(_actor: str, _show: str, _question: str) -> None:
        raise AssertionError("nobody asked anything")

    async def open_shows(_store: str) -> list[str]:
        raise AssertionError("nobody asked anything")

    async def elsewhere(account: str) -> None:
        assert account == "id-bom"

    async with open_node(redis_url, House()) as node:
        stores = SqlErasures(engine), SqlRulebook(engine)
        erasing = Erasing(node.chat.hub, *stores, withdraw, open_shows, elsewhere)
        yield Desk(Stage(), erasing, SqlArchive(engine))


async def test_the_operator_sees_every_show(desk: Desk) -> None:
    stage = desk.stage
    sink, _ = stage.publisher()
    stage.viewer()
    stage.send(sink, *frames(1, 20))
    async with desk.client() as client:
        answer = await client.get("/media", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    (show,) = answer.json()["shows"]
    assert (show["show"], show["publisher"]["video"]) == (SHOW, "H264")
    assert show["audience"]["viewers"] == 1
    assert "viewers" not in show


async def test_the_operator_erases_what_a_person_said(desk: Desk) -> None:
    await desk.archive.keep([saying("id-bom", 1), saying("id-bom", 2), saying("id-dal", 3)])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with desk.client() as client:
        for gone in (2, 0):
            answer = await client.delete("/accounts/id-bom/chat", headers=headers)
            assert answer.status_code == 200
            assert (answer.json()["account"], answer.json()["messages"]) == ("id-bom", gone)
        answer = await client.delete("/accounts/a%20b/chat", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    kept = await desk.archive.recall("spring", None, Recall(9, hidden=True))
    assert [each.saying.author for each in kept] == ["id-dal"]


def saying(author: str, number: int) -> Saying:
    """Something said long ago."""
    return Saying(
        id=f"s{number}",
        show="spring",
        number=number,
        author=author,
        name="봄",
        badges=(),
        text="안녕",
        at_ms=number,
    )


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("given", ["", TOKEN, "Bearer", f"Basic {TOKEN}", "Bearer 꽃", "Bearer x"])
async def test_nobody_else_does(desk: Desk, given: str, method: str, path: str) -> None:
    headers = httpx.Headers({b"Authorization": given.encode()})
    async with desk.client() as client:
        answer = await client.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_without_a_token_there_is_nothing_to_see(desk: Desk, method: str, path: str) -> None:
    async with desk.client(token="") as client:
        answer = await client.request(method, path, headers={"Authorization": "Bearer "})
    assert answer.status_code == 404
