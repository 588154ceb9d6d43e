"""The interface is what /openapi.json says: nothing told that is not served, and the reverse.

Every operation told is asked for over HTTP; every answer has a status that is told, and a body that
its schema allows.
"""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jsonschema_rs
import pytest_asyncio

from tests.whole.server import Server
from tests.whole.shop import RECIPIENT, Json, Shop, open_shop, order, pay, read, read_hold, sign_up
from tests.whole.shop import hold as ask_hold

METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})
PROBLEM: Final = "application/problem+json"
TOLD_ELSEWHERE: Final = "/events"
"""The room is a websocket: a plain request cannot ask for it."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The document of a running server, and a shop to ask about."""

    server: Server
    document: Json
    shop: Shop

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        """Method, path and what is told of each operation."""
        for path, item in self.document["paths"].items():
            for method in sorted(METHODS & item.keys()):
                yield method, path, item[method]

    def expect_told(self, operation: Json, answer: httpx.Response) -> None:
        """Demand that the answer is one of those told."""
        asked = f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
        told = operation["responses"]
        response = told.get(str(answer.status_code), told.get("default"))
        assert response is not None, asked
        kind = answer.headers.get("content-type", "").partition(";")[0]
        content = response.get("content", {}).get(kind, {})
        if kind in ("application/json", PROBLEM) and "schema" in content:
            schema = content["schema"] | {"components": self.document["components"]}
            jsonschema_rs.validate(schema, answer.json())


@pytest_asyncio.fixture(scope="module")
async def interface(server: Server) -> Interface:
    """The interface of the module's server."""
    async with server.client() as client:
        document = await read(await client.get("/openapi.json"))
    return Interface(server, document, await open_shop(server))


@pytest_asyncio.fixture
async def seller(interface: Interface) -> AsyncIterator[httpx.AsyncClient]:
    """The shop's seller."""
    async with interface.server.client(interface.shop.seller.token) as client:
        yield client


def _fill(path: str, names: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: names.get(found[1], "no-such-thing"), path)


async def test_every_operation_told_is_served(interface: Interface) -> None:
    """Asked by nobody and about nothing, each answers with something it told."""
    seen = 0
    async with interface.server.client() as client:
        for method, path, operation in interface.operations():
            if path.endswith(TOLD_ELSEWHERE):
                continue
            key = {"Idempotency-Key": secrets.token_hex(4)}
            answer = await client.request(method.upper(), _fill(path, {}), headers=key)
            assert answer.status_code not in (405, 500), f"{method} {path}: {answer.text}"
            if (
                answer.status_code == httpx.codes.NOT_FOUND
                and answer.headers.get("content-type") == PROBLEM
            ):
                assert answer.json()["detail"] != "Not Found", f"{method} {path} is not there"
            interface.expect_told(operation, answer)
            seen += 1
    assert seen > 30


async def test_methods_that_are_not_told_are_not_served(interface: Interface) -> None:
    """What a path does not tell it refuses with 405, whose Allow names nothing untold."""
    async with interface.server.client() as client:
        for path, item in interface.document["paths"].items():
            if path.startswith(("/whip", "/whep")) or path.endswith(TOLD_ELSEWHERE):
                continue
            answers = [
                await client.request(method.upper(), _fill(path, {}))
                for method in sorted(METHODS - item.keys())
            ]
            for answer in answers:
                assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED, answer.request.url
                assert answer.json()["code"] == "method_not_allowed"


async def test_what_is_answered_is_what_is_told(
    interface: Interface, seller: httpx.AsyncClient
) -> None:
    """A walk through a shop's day: each good answer is one its schema allows."""
    shop, told = interface.shop, interface.document["paths"]
    buyer = await sign_up(interface.server)
    async with interface.server.client(buyer.token) as client:
        held = await read_hold(await ask_hold(client, shop.product))
        placed = await order(client, held["id"])
        await pay(client, placed["id"])
        names = {"slug": shop.slug, "show": shop.show, "id": ""}
        walks: list[tuple[httpx.AsyncClient, str, str, Any]] = [
            (client, "/holds", "", None),
            (client, "/orders", "", None),
            (client, "/orders/{id}", placed["id"], None),
            (client, "/me", "", None),
            (client, "/products/{id}", shop.product, None),
            (client, "/stores", "", None),
            (client, "/stores/{slug}", "", None),
            (client, "/stores/{slug}/products", "", None),
            (client, "/shows", "", None),
            (client, "/shows/{show}", "", None),
            (seller, "/stores/{slug}/orders", "", None),
            (client, "/holds", "", {"lines": [{"sku": shop.product}]}),
            (
                client,
                "/orders",
                "",
                {"holds": ["no-such-hold"], "recipient": RECIPIENT, "total_minor": 1},
            ),
            (client, "/waits", "", None),
            (client, "/waits", "", {"sku": shop.product}),
            (seller, "/stores/{slug}/waitlist", "", None),
            (client, "/orders/{id}/pay", placed["id"], None),
            (seller, "/shows/{show}/pin", "", {"product": shop.product}),
            (seller, "/shows/{show}/publish-key", "", {}),
        ]
        for who, path, identity, body in walks:
            method = "post" if body is not None or path.endswith("/pay") else "get"
            answer = await who.request(
                method.upper(),
                _fill(path, names | {"id": identity}),
                json=body,
                headers={"Idempotency-Key": secrets.token_hex(8)},
            )
            assert answer.status_code < 500, answer.text
            interface.expect_told(told[path][method], answer)
