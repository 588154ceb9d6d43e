"""Buying from within the room: what `hold` gets is what `POST /holds` gets, in both encodings."""

import secrets

import pytest

from chat.core.commands import WantedLine
from chat.core.events import Held, NotHeld
from chat.core.frames import Format
from tests.whole.server import Server
from tests.whole.shop import PRICE_MINOR, hold, open_shop, read, sign_up, visit


@pytest.mark.parametrize("wire", Format)
async def test_a_viewer_holds_without_leaving_the_room(server: Server, wire: Format) -> None:
    shop, buyer = await open_shop(server, stock=2), await sign_up(server)
    key, lines = secrets.token_hex(8), [WantedLine(shop.product, price_minor=PRICE_MINOR)]
    async with (
        visit(server, shop.show, buyer.token, wire=wire) as viewer,
        server.client(buyer.token) as client,
    ):
        held = await viewer.room.hold(lines, key)
        assert isinstance(held, Held)
        (mine,) = held.holds
        assert (mine["sku"], mine["quantity"], mine["state"]) == (shop.product, 1, "held")
        assert (mine["show"], mine["price_minor"]) == (shop.show, PRICE_MINOR)
        assert mine["expires_at_ms"] > held.now_ms
        stock = await viewer.hears(lambda event: event["type"] == "stock")
        assert (stock["free"], stock["held"]) == (1, 1)

        again = await viewer.room.hold(lines, key)
        assert isinstance(again, Held)
        assert [each["id"] for each in again.holds] == [mine["id"]]
        body = {"lines": [{"sku": shop.product}], "show": shop.show}
        headers = {"Idempotency-Key": key}
        over_http = await read(await client.post("/holds", json=body, headers=headers))
        assert [each["id"] for each in over_http["holds"]] == [mine["id"]]
        assert [each["id"] for each in (await read(await client.get("/holds")))["holds"]] == [
            mine["id"]
        ]


@pytest.mark.parametrize("wire", Format)
async def test_a_refusal_is_the_problem_http_tells(server: Server, wire: Format) -> None:
    shop, buyer = await open_shop(server, stock=2), await sign_up(server)
    async with (
        visit(server, shop.show, buyer.token, wire=wire) as viewer,
        server.client(buyer.token) as client,
    ):
        many = await viewer.room.hold([WantedLine(shop.product, 3)])
        assert isinstance(many, NotHeld)
        assert many.problem["code"] == "sold_out"
        assert many.problem == (await hold(client, shop.product, quantity=3)).json()

        reused = await viewer.room.hold([WantedLine(shop.product)], "the-same")
        assert isinstance(reused, Held)
        reused = await viewer.room.hold([WantedLine(shop.product, 2)], "the-same")
        assert isinstance(reused, NotHeld)
        assert reused.problem["type"] == "urn:kkot:problem:idempotency_mismatch"

        dear = await viewer.room.hold([WantedLine(shop.product, price_minor=PRICE_MINOR + 1)])
        assert isinstance(dear, NotHeld)
        assert dear.problem["code"] == "price_changed"

        nothing = await viewer.room.hold([WantedLine("")])
        assert isinstance(nothing, NotHeld)
        assert (nothing.problem["code"], nothing.problem["status"]) == ("invalid", 422)
    async with visit(server, shop.show, wire=wire) as guest:
        refused = await guest.room.hold([WantedLine(shop.product)])
        assert isinstance(refused, NotHeld)
        assert (refused.problem["code"], refused.problem["status"]) == ("sign_in", 401)
