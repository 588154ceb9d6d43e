"""What sending costs is told where it is asked: by the assistant in the room, and in the quote."""

from tests.whole.server import Server
from tests.whole.shop import PRICE_MINOR, hold, open_shop, read, read_hold, sign_up, visit

TERMS = {
    "fee_minor": 3_000,
    "free_from_minor": 50_000,
    "remote_fee_minor": 4_000,
    "days_least": 1,
    "days_most": 3,
}


async def test_the_assistant_and_the_quote_say_the_same(server: Server) -> None:
    shop = await open_shop(server)
    buyer = await sign_up(server)
    async with (
        server.client(shop.seller.token) as selling,
        server.client(buyer.token) as buying,
        visit(server, shop.show, buyer.token) as visitor,
    ):
        store = await read(await selling.patch(f"/stores/{shop.slug}", json={"delivery": TERMS}))
        assert store["delivery"] == TERMS
        await visitor.room.say("배송비 얼마예요?")
        told = await visitor.hears(lambda event: "3,000" in str(event.get("text")))
        assert "50,000" in told["text"]
        held = (await read_hold(await hold(buying, shop.product)))["id"]
        asked = {"holds": [held], "postcode": "63000"}
        quote = await read(await buying.post("/quotes", json=asked))
        assert (quote["delivery_minor"], quote["total_minor"]) == (7_000, PRICE_MINOR + 7_000)
        basket = await read(await buying.get(f"/stores/{shop.slug}/basket"))
        assert [one["id"] for one in basket["holds"]] == [held]
