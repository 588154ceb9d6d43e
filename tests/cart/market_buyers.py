"""What buyers do in the market, and the provider they pay at."""

import random
import time

import httpx

from cart.adapters.payment_sandbox import Trick
from cart.code_sales import Spoken
from cart.core.auction import NewBid
from cart.core.hold import HoldLine
from cart.core.order import Order
from cart.core.payment import Standing
from cart.core.stock import Granted, Repeated
from tests.cart.deaths import Node
from tests.cart.market import BUYERS, STORE, Market
from tests.cart.shop import RECIPIENT, Shop


async def hold(market: Market, node: Node, chance: random.Random) -> None:
    """Hold some units, of one SKU or of several, perhaps at a price that was seen."""
    buyer, key = chance.choice(BUYERS), market.key()
    lines = [
        HoldLine(sku=chance.choice(market.skus), quantity=chance.randint(1, 2))
        for _ in range(chance.randint(1, 3))
    ]
    show = chance.choice([None, market.show])
    answer = await market.tell(
        node, lambda shop: shop.cart.holding.hold(buyer, key, lines, show=show)
    )
    market.count(answer)
    if isinstance(answer, Granted | Repeated):
        market.holds |= {one.id: (buyer, one.sku) for one in answer.holds}
        market.asked.append((buyer, key, lines, show, {one.id for one in answer.holds}))


async def ask_again(market: Market, node: Node, chance: random.Random) -> None:
    """Repeat a request that was answered: it is the same holds."""
    earlier = market.lately(market.asked, chance)
    if earlier is not None:
        buyer, key, lines, show, holds = earlier
        answer = await market.tell(
            node, lambda shop: shop.cart.holding.hold(buyer, key, lines, show=show)
        )
        assert isinstance(answer, Repeated)
        assert {one.id for one in answer.holds} == holds


async def say(market: Market, node: Node, chance: random.Random) -> None:
    """Say a code in the show."""
    buyer, key = chance.choice(BUYERS), market.key("said")
    line = f"C{chance.randint(0, 1)} {chance.randint(1, 2)}"
    spoken = Spoken(market.show, buyer, key, key, line)
    heard = await market.tell(node, lambda shop: shop.cart.codes.hear(spoken))
    if heard is not None and heard["outcome"] == "held":
        market.holds[heard["hold"]["id"]] = (buyer, heard["sku"])


async def extend(market: Market, node: Node, chance: random.Random) -> None:
    """Ask for more time."""
    one = market.lately(list(market.holds), chance)
    if one is not None:
        buyer, _ = market.holds[one]
        market.count(await market.tell(node, lambda shop: shop.cart.holding.extend(buyer, one)))


async def release(market: Market, node: Node, chance: random.Random) -> None:
    """Give something back."""
    one = market.lately(list(market.holds), chance)
    if one is not None:
        buyer, _ = market.holds[one]
        await market.tell(node, lambda shop: shop.cart.holding.release(buyer, one))


async def wait(market: Market, node: Node, chance: random.Random) -> None:
    """Stand in line."""
    buyer, key, sku = chance.choice(BUYERS), market.key(), chance.choice(market.skus)
    quantity, show = chance.randint(1, 2), chance.choice([None, market.show])
    answer = await market.tell(
        node, lambda shop: shop.cart.waiting.join(buyer, key, sku, quantity, show=show)
    )
    market.count(answer)
    if answer is not None:
        market.waits.append((buyer, answer.id))


async def leave(market: Market, node: Node, chance: random.Random) -> None:
    """Leave the line, or decline what is offered."""
    one = market.lately(market.waits, chance)
    if one is not None:
        await market.tell(node, lambda shop: shop.cart.waiting.leave(*one))


async def bid(market: Market, node: Node, chance: random.Random) -> None:
    """Bid for the last lot."""
    if not market.auctions:
        return
    one, buyer, key = market.auctions[-1], chance.choice(BUYERS), market.key()
    lot = await market.tell(node, lambda shop: shop.cart.auctioning.auction(one))
    assert lot is not None
    said = NewBid(
        amount_minor=lot.minimum_minor + chance.choice([0, 0, 300]), max=chance.random() < 0.5
    )
    market.count(
        await market.tell(node, lambda shop: shop.cart.auctioning.bid(buyer, one, key, said))
    )


async def place(market: Market, node: Node, chance: random.Random) -> Order | None:
    """Order what is in the basket, or some of it, at what it is said to cost."""
    buyer, key = chance.choice(BUYERS), market.key()
    held = await market.tell(node, lambda shop: shop.cart.checkout.held(buyer, STORE))
    assert held is not None
    basket = sorted(held[0], key=lambda one: (one.sku, one.quantity, one.price_minor))
    chosen = [one.id for one in basket if chance.random() < 0.8]
    coupon = chance.choice([None, None, "BLOOM", "GIFT"])
    wallet = await market.tell(node, lambda shop: shop.cart.points.wallet(buyer))
    assert wallet is not None
    points_minor = min(wallet.ready_minor, chance.choice([0, 100, 100_000]))
    quote = await market.tell(
        node,
        lambda shop: shop.cart.checkout.quote(
            buyer,
            holds=chosen,
            coupon=coupon,
            points_minor=points_minor,
            postcode=RECIPIENT.postcode,
        ),
    )
    if quote is None:
        return None
    order = await market.tell(
        node,
        lambda shop: shop.cart.checkout.place(
            buyer,
            key,
            holds=chosen,
            recipient=RECIPIENT,
            total_minor=quote.total_minor,
            coupon=coupon,
            points_minor=points_minor,
        ),
    )
    market.count(order)
    if order is not None:
        market.orders.setdefault(order.id, (buyer, order.state))
    return order


async def pay(market: Market, node: Node, chance: random.Random) -> None:
    """Go to the provider with an order, and decide there; whatever may go wrong may."""
    order = market.lately(list(market.orders), chance)
    if order is not None:
        await _pay(market, node, chance, order)


async def _pay(market: Market, node: Node, chance: random.Random, order: str) -> None:
    buyer, _ = market.orders[order]
    redirect = await market.tell(node, lambda shop: shop.cart.checkout.pay(buyer, order))
    if redirect is None or redirect.startswith("/orders"):
        return
    payment = redirect.rpartition("/")[2]
    market.payments.append(payment)
    good = chance.random() < 0.85
    trick = chance.choice([Trick.NONE, *Trick]) if good else Trick.NONE
    await market.provider.decide(payment, Standing.AUTHORIZED if good else Standing.DECLINED, trick)


async def come_back(market: Market, node: Node, chance: random.Random) -> None:
    """Come back from the provider."""
    order = market.lately(list(market.orders), chance)
    if order is not None:
        buyer, _ = market.orders[order]
        found = await market.tell(node, lambda shop: shop.cart.checkout.confirm(buyer, order))
        assert found is not None
        market.count(found.state)


async def buy(market: Market, node: Node, chance: random.Random) -> None:
    """All of it, one after the other."""
    await hold(market, node, chance)
    order = await place(market, node, chance)
    if order is not None:
        await _pay(market, node, chance, order.id)
        found = await market.tell(
            node, lambda shop: shop.cart.checkout.confirm(order.buyer, order.id)
        )
        assert found is not None
        market.count(found.state)


async def cancel(market: Market, node: Node, chance: random.Random) -> None:
    """Think better of it."""
    order = market.lately(list(market.orders), chance)
    if order is not None:
        buyer, _ = market.orders[order]
        market.count(await market.tell(node, lambda shop: shop.cart.checkout.cancel(buyer, order)))


async def messages(market: Market, node: Node, chance: random.Random) -> None:
    """The provider's messages come, those of `REPEAT` often and those of `REORDER` late."""

    async def post(shop: Shop) -> bool:
        async def read(request: httpx.Request) -> httpx.Response:
            payment = shop.sandbox.read_webhook(request.headers, request.content, time.time())
            assert payment is not None
            await shop.cart.settling.hurry(payment)
            await shop.cart.refunding.hurry(payment)
            return httpx.Response(200)

        transport = httpx.MockTransport(read)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await shop.sandbox.post_due(client)

    await market.tell(node, post)


async def rumour(market: Market, node: Node, chance: random.Random) -> None:
    """A message about some payment comes, for whatever reason."""
    payment = market.lately(market.payments, chance)
    if payment is not None:
        await market.tell(node, lambda shop: shop.cart.settling.settle(payment))
        await market.tell(node, lambda shop: shop.cart.refunding.hurry(payment))


ACTS = (
    *(hold, ask_again, say, extend, release, wait, leave, bid, place, pay, come_back, buy),
    *(cancel, messages, rumour),
)
