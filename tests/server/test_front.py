"""The router's short way leads where the long one does."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from live.server.app import Doors, build_app
from tests.server.test_operations import Named, Receipt


async def look() -> Receipt:
    """Look."""
    return Receipt(told=["an operation"])


async def page(_request: Request) -> Response:
    return PlainTextResponse("a page", media_type="text/html")


@pytest.fixture
def client() -> httpx.AsyncClient:
    doors = Doors(
        operations=[("GET", "/plain", look, 200), ("GET", "/both", look, 200)],
        pages=[Route("/both", page)],
    )
    app = build_app([doors], Named(), {}, version="0")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kkot.test")


@pytest.mark.parametrize("path", ["/plain", "/both"])
async def test_an_operation_answers_at_its_url(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).json() == {"told": ["an operation"]}
    assert (await client.head(path)).status_code == 200
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert (await client.get(path + "/")).status_code == 404


async def test_a_page_at_an_operation_s_url_is_not_passed_by(client: httpx.AsyncClient) -> None:
    told = await client.get("/both", headers={"Accept": "text/html"})
    assert told.text == "a page"
    await client.get("/plain")
    metrics = (await client.get("/metrics")).text
    assert 'route="/plain"' in metrics
