"""The application: its own routes, headers, pages beside operations, stores that go away."""

import httpx
import jsonschema_rs
import pytest
import sqlalchemy as sa
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from live.server.app import Doors, build_app
from live.server.edge import BODY_BYTES
from live.server.operations import Operation
from live.server.schema import make_engine
from tests.server.test_operations import Named, Receipt
from tests.server.world import World


def client_of(*doors: Doors, **checks: object) -> httpx.AsyncClient:
    app = build_app(doors, Named(), checks, version="0")  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kkot.test")


async def test_own_routes(world: World) -> None:
    assert (await world.client.get("/healthz")).json() == {"healthy": True}
    ready = await world.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "redis": True, "postgres": True},
    )
    metrics = await world.client.get("/metrics")
    assert 'route="/healthz"' in metrics.text
    assert "kkot_ready 1.0" in metrics.text


async def test_every_answer_has_the_security_headers(world: World) -> None:
    for path in ("/healthz", "/nowhere", "/shows"):
        headers = (await world.client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "connect-src 'self' http: https: ws: wss:" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16


async def test_players_elsewhere_may_read_refusals() -> None:
    async with client_of() as client:
        assert (await client.get("/whep/x")).headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-origin" not in (await client.get("/shows")).headers


async def test_openapi_describes_what_is_served(world: World) -> None:
    document = (await world.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) >= {"/accounts", "/sessions", "/me", "/shows", "/shows/{show}"}
    sign_up = document["paths"]["/accounts"]["post"]
    assert sign_up["summary"] == "Make an account and sign in."
    reference = sign_up["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/SignUp"
    assert document["paths"]["/me"]["get"]["security"] == [{"bearer": []}, {"cookie": []}]
    names = [p["name"] for p in document["paths"]["/shows"]["get"]["parameters"]]
    assert names == ["stage"]
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(
            {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
        )
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids))


async def page(_request: Request) -> Response:
    return PlainTextResponse("a page", media_type="text/html")


async def look(slug: str) -> Receipt:
    """Look."""
    return Receipt(told=[slug])


LOOK: list[Operation] = [("GET", "/stores/{slug}", look, 200)]


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("TEXT/HTML", True),
    ],
)
async def test_who_names_html_gets_the_page(accept: str | None, html: bool) -> None:
    doors = Doors(operations=LOOK, pages=[Route("/stores/{store}", page), Route("/sell", page)])
    async with client_of(doors) as client:
        client.headers.pop("accept")
        headers = {"Accept": accept} if accept else {}
        answer = await client.get("/stores/roses", headers=headers)
        assert (answer.text == "a page") is html
        assert ("vary" in answer.headers) is html
        assert (await client.get("/sell")).text == "a page"
        assert (await client.post("/stores/roses")).status_code == 405


async def read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def test_no_body_is_endless() -> None:
    async with client_of(Doors(routes=[Route("/read", read, methods=["POST"])])) as client:
        assert (await client.post("/read", content=b"x" * 1000)).text == "1000"
        too_much = await client.post("/read", content=b"x" * (BODY_BYTES + 1))
        assert (too_much.status_code, too_much.json()["code"]) == (413, "too_large")


async def test_a_lost_store_is_told_as_such(database_url: str) -> None:
    gone = make_engine(database_url.replace("/test_", "/gone_"))
    away = make_engine("postgresql://postgres@/kkot?host=/nowhere")

    async def ask(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def redis() -> Receipt:
        """Ask Redis."""
        raise RedisConnectionError("nobody there")

    async def postgres() -> Receipt:
        """Ask PostgreSQL."""
        await ask(away)
        return Receipt(told=[])

    async def wrong() -> Receipt:
        """Ask a database that is not there."""
        await ask(gone)
        return Receipt(told=[])

    operations: list[Operation] = [
        ("GET", "/redis", redis, 200),
        ("GET", "/postgres", postgres, 200),
        ("GET", "/wrong", wrong, 200),
    ]
    async with client_of(Doors(operations=operations), postgres=postgres) as client:
        for path in ("/redis", "/postgres"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_lost")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/wrong")).status_code == 500
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "postgres": False})
    await gone.dispose()
    await away.dispose()


async def test_a_connection_cut_in_the_middle_is_a_lost_store(engine: AsyncEngine) -> None:
    async def cut() -> Receipt:
        """Lose the connection while asking."""
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return Receipt(told=[])

    async with client_of(Doors(operations=[("GET", "/cut", cut, 200)])) as client:
        answer = await client.get("/cut")
        assert (answer.status_code, answer.json()["code"]) == (503, "store_lost")
