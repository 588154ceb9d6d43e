"""The operator sees the media of every show, and nobody else does."""

import httpx
import pytest

from live.server.app import build_app
from live.server.operator import operator_doors
from tests.relay.test_broadcast import SHOW, Stage, frames
from tests.server.test_operations import Named

TOKEN = "an operator's token of thirty-two characters"


def client_of(stage: Stage, token: str) -> httpx.AsyncClient:
    app = build_app([operator_doors(stage.relay, token)], Named(), {}, version="0")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kkot.test")


async def test_the_operator_sees_every_show() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.viewer()
    stage.send(sink, *frames(1, 20))
    async with client_of(stage, TOKEN) as client:
        answer = await client.get("/media", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    (show,) = answer.json()["shows"]
    assert (show["show"], show["publisher"]["video"]) == (SHOW, "H264")
    assert show["audience"]["viewers"] == 1
    assert "viewers" not in show


@pytest.mark.parametrize("given", ["", TOKEN, "Bearer", f"Basic {TOKEN}", "Bearer 꽃", "Bearer x"])
async def test_nobody_else_does(given: str) -> None:
    headers = httpx.Headers({b"Authorization": given.encode()})
    async with client_of(Stage(), TOKEN) as client:
        answer = await client.get("/media", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")


async def test_without_a_token_there_is_nothing_to_see() -> None:
    async with client_of(Stage(), "") as client:
        answer = await client.get("/media", headers={"Authorization": "Bearer "})
    assert answer.status_code == 404
