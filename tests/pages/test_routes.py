"""The pages over HTTP: languages, headers, and files a browser may keep."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from live.pages.routes import routes, shared_routes
from live.pages.statics import ASK_AGAIN, KEEP, RELEASE, static_url

PATHS = ("/", "/shows/abc/watch", "/sell", "/stores/flowers", "/orders/abc")


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the pages alone."""
    app = Starlette(routes=[*routes(), *shared_routes()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kkot.test") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_answers_with_its_promises_in_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == "ko"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert {"Accept", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    assert (await client.head(path)).status_code == 200


async def test_a_language_once_asked_for_is_remembered(client: httpx.AsyncClient) -> None:
    english = await client.get("/orders/abc?paid=1&lang=en")
    assert 'lang="en"' in english.text
    assert 'href="/orders/abc?paid=1&amp;lang=ko"' in english.text
    assert "lang=en" not in str(client.base_url)
    assert (await client.get("/")).headers["Content-Language"] == "en"
    unknown = await client.get("/?lang=fr")
    assert "set-cookie" not in unknown.headers


async def test_another_default_language() -> None:
    app = Starlette(routes=routes(language_default="en"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kkot.test") as client:
        assert (await client.get("/")).headers["Content-Language"] == "en"


async def test_hostile_queries_stay_text(client: httpx.AsyncClient) -> None:
    answer = await client.get('/?lang="><script>alert(1)</script>')
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


async def test_a_session_cookie_is_a_hint_and_nothing_more(client: httpx.AsyncClient) -> None:
    assert "data-session" not in (await client.get("/")).text
    signed_in = await client.get("/", headers={"Cookie": "kkot_access=secret-token"})
    assert 'data-session="maybe"' in signed_in.text
    assert "secret-token" not in signed_in.text


async def test_files_of_this_release_may_be_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get(static_url("js/watch.js"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == KEEP
    assert answer.headers["Content-Type"].startswith("text/javascript")
    other = await client.get("/static/another/js/watch.js")
    assert other.headers["Cache-Control"] == ASK_AGAIN
    assert other.content == answer.content


async def test_strings_come_as_a_module(client: httpx.AsyncClient) -> None:
    answer = await client.get(static_url("strings/ko.js"))
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == KEEP
    assert answer.text.startswith("export default {")
    assert (await client.get(static_url("strings/xx.js"))).status_code == 404


@pytest.mark.parametrize("path", ["%2e%2e/routes.py", "js/%2e%2e/%2e%2e/routes.py"])
async def test_nothing_outside_the_folder_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/static/{RELEASE}/{path}")).status_code == 404


async def test_pages_that_name_no_icon_find_ours(client: httpx.AsyncClient) -> None:
    answer = await client.get("/favicon.ico")
    assert (await client.get(answer.headers["Location"])).status_code == 200


async def test_an_odd_address_is_written_as_an_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/shows/%00%22x/watch")
    assert "\0" not in answer.text
    assert 'href="/shows/%00%22x/watch?lang=en"' in answer.text
