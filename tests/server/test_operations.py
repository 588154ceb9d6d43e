"""The binder: parameters filled by name, faults found at start, hostile bodies answered clearly."""

from typing import Annotated

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from live.server.app import Doors, build_app
from live.server.operations import BindingError, Operation, bind, plan
from live.show.core.stage import Stage
from tests.server.world import ORIGIN, World


class Parcel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body."""

    label: Annotated[str, msgspec.Meta(max_length=20)]
    grams: Annotated[int, msgspec.Meta(ge=1, le=30_000)] = 1


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    told: list[str]


class NoCookies:
    """A jar nobody opens."""

    def write(self, response: Response) -> None:
        """Nothing to write."""


class Named:
    """An identity told in a header."""

    def person(self, request: Request) -> str | None:
        """The header's value."""
        return request.headers.get("x-person")

    def jar(self, _request: Request) -> NoCookies:
        """No cookies."""
        return NoCookies()


async def post(place: str, person: str, body: Parcel, idempotency_key: str) -> Receipt:
    """Post a parcel.

    It is told back.
    """
    return Receipt(told=[place, person, body.label, str(body.grams), idempotency_key])


async def look(place: str, visitor: str | None, fast: bool = False, most: int = 3) -> Receipt:
    """Look at a place."""
    return Receipt(told=[place, str(visitor), str(fast), str(most)])


async def burn(place: str) -> None:
    """Burn a place down."""


async def fail(address: str) -> Receipt:
    """Break."""
    raise RuntimeError(f"secret inside {address}")


OPERATIONS: list[Operation] = [
    ("POST", "/places/{place}", post, 201),
    ("GET", "/places/{place}", look, 200),
    ("DELETE", "/places/{place}", burn, 204),
    ("GET", "/fail", fail, 200),
]
POST = {"X-Person": "ann", "Idempotency-Key": "k1"}


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = build_app([Doors(operations=OPERATIONS)], Named(), {}, version="0")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kkot.test")


async def test_parameters_are_filled_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/places/seoul", json={"label": "꽃", "grams": 9}, headers=POST)
    assert answer.status_code == 201
    assert answer.json() == {"told": ["seoul", "ann", "꽃", "9", "k1"]}
    answer = await client.get("/places/seoul?fast=true&most=5")
    assert answer.json() == {"told": ["seoul", "None", "True", "5"]}
    assert (await client.delete("/places/seoul")).status_code == 204


async def test_person_and_key_are_demanded(client: httpx.AsyncClient) -> None:
    nobody = await client.post("/places/x", json={"label": "a"}, headers={"Idempotency-Key": "k"})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "sign_in")
    assert nobody.headers["www-authenticate"] == "Bearer"
    for key in ("", "x" * 65, "two words"):
        headers = {"X-Person": "ann", "Idempotency-Key": key}
        keyless = await client.post("/places/x", json={"label": "a"}, headers=headers)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key")


async def test_wrong_queries_paths_and_methods(client: httpx.AsyncClient) -> None:
    assert (await client.get("/places/x?most=many")).status_code == 422
    assert (await client.get("/places/" + "x" * 200)).status_code == 404
    assert (await client.get("/places/%00")).status_code == 404
    answer = await client.patch("/places/x")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "DELETE"}
    assert (await client.head("/places/x")).status_code == 200
    nowhere = await client.get("/nowhere")
    assert nowhere.headers["content-type"] == "application/problem+json"
    assert nowhere.json()["type"] == "urn:kkot:problem:not_found"


async def test_our_faults_tell_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fail")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.json()["request"] == answer.headers["x-request-id"]


async def no_annotation(body, place: str) -> None:  # type: ignore[no-untyped-def]
    """Wrong."""


async def stranger(what: str) -> None:
    """Wrong."""


async def no_return(place: str):  # type: ignore[no-untyped-def]
    """Wrong."""


@pytest.mark.parametrize("handler", [no_annotation, stranger, no_return])
def test_misdeclared_handlers_stop_the_start(handler: object) -> None:
    with pytest.raises(BindingError):
        plan(("GET", "/{place}", handler, 200))  # type: ignore[arg-type]


def test_an_operation_cannot_be_there_twice() -> None:
    with pytest.raises(BindingError):
        bind([plan(OPERATIONS[0]), plan(OPERATIONS[0])], Named())


JSON = "application/json"
HOSTILE = [
    (b"", JSON, 400),
    (b"{", JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b'{"email":"\xc3("}', JSON, 400),
    (b'{"email":"\\ud800"}', JSON, 400),
    (b"NaN", JSON, 400),
    (b'{"email":1}garbage', JSON, 422),
    (b"[" * 60_000, JSON, 422),
    (b'{"email":' + b"[" * 60_000, JSON, 422),
    (b"null", JSON, 422),
    (b"[]", JSON, 422),
    (b'"text"', JSON, 422),
    (b"{}", JSON, 422),
    (b'{"email":null,"password":"x","name":"y"}', JSON, 422),
    (b'{"email":{"a":1},"password":"x","name":"y"}', JSON, 422),
    (b'{"email":"a@b.c","password":1e999,"name":"y"}', JSON, 422),
    (b'{"email":"a@b.c","password":"0123456789","name":"y","admin":true}', JSON, 422),
    (b'{"email":"a@b.c","password":"short","name":"y"}', JSON, 422),
    (b'{"email":"a@b.c","password":"0123456789","name":"\\u0000"}', JSON, 422),
    (b'{"email":"a@b.c","password":"0123456789\\u0000","name":"y"}', JSON, 422),
    (b'{"email":"a@b.c","password":"0123456789","name":"\\u202e\\u202e"}', JSON, 422),
    (b'{"email":"no address","password":"0123456789","name":"y"}', JSON, 422),
    (b'{"email":"' + b"a" * 500 + b'@b.c","password":"0123456789","name":"y"}', JSON, 422),
    (b'{"email":"a@b.c","password":"0123456789","name":"y","locale":7}', JSON, 422),
    (b'{"email":"' + b"a" * 70_000 + b'"}', JSON, 413),
    (b'{"email":"a@b.c"}', "text/plain", 415),
    (b"email=a%40b.c", "application/x-www-form-urlencoded", 415),
    (b'{"email":"a@b.c"}', "", 415),
]


@pytest.mark.parametrize(("body", "kind", "status"), HOSTILE)
async def test_hostile_bodies_get_clear_errors(
    world: World, body: bytes, kind: str, status: int
) -> None:
    answer = await world.client.post("/accounts", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert (await world.client.get("/shows")).json() == {"shows": []}


async def test_a_body_without_length_is_cut_off(world: World) -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    headers = {"Content-Type": JSON}
    answer = await world.client.post("/accounts", content=endless(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert sent <= 70_000


async def test_text_postgresql_cannot_keep_is_refused_everywhere(world: World) -> None:
    await world.person()
    world.owners["flowers"] = await _account(world)
    headers = await world.bearer()
    body = {"store": "flowers", "title": "a\x00b"}
    assert (await world.client.post("/shows", json=body, headers=headers)).status_code == 422
    assert (await world.client.get("/shows?stage=%00")).status_code == 422
    assert await world.shows.listed(Stage.SCHEDULED) == []


async def _account(world: World) -> str:
    headers = await world.bearer()
    answer = await world.client.get("/me", headers=headers | ORIGIN)
    return str(answer.json()["id"])
