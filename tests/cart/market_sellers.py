"""What sellers do in the market, and what time does."""

import csv
import io
import random

from cart.core.auction import NewAuction
from cart.core.deal import DealKind
from cart.core.draft import ProductChange, StockChange, UnitsChanged
from cart.core.refund import RefundLine, RefundWish
from cart.dealing import Terms
from cart.ports.auctions import Opened
from cart.ports.deals import ShowFacts
from tests.cart.deaths import Node
from tests.cart.market import PASSING_S, STORE, Market
from tests.cart.shop import SELLER


async def restock(market: Market, node: Node, chance: random.Random) -> None:
    """More units come, or fewer are there than was thought."""
    ware, key = chance.choice(market.wares), market.key()
    sku, change = chance.choice(ware.skus).id, chance.choice([1, 2, -1])
    said = StockChange(
        reason="restock" if change > 0 else "correction",
        changes=[UnitsChanged(sku=sku, change=change)],
    )
    done = await market.tell(
        node, lambda shop: shop.cart.stocking.change(SELLER, ware.id, key, said)
    )
    market.count(done)
    if done is not None:
        market.on_hand[sku] += change


async def sheet(market: Market, node: Node, chance: random.Random) -> None:
    """The store's sheet is taken out, a line of it changed, and brought in again."""
    key = market.key()
    sku, change = chance.choice(market.skus), chance.choice([1, -1])
    text = await market.tell(node, lambda shop: shop.cart.importing.export(SELLER, STORE))
    assert text is not None
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    (row,) = [row for row in rows if row["sku"].removeprefix("'") == sku]
    row["free"] = str(max(0, int(row["free"]) + change))
    if chance.random() < 0.3:
        row["price_minor"] = str(int(row["price_minor"]) + 1)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(row))
    writer.writeheader()
    writer.writerows(rows)
    body = out.getvalue().encode()
    report = await market.tell(
        node, lambda shop: shop.cart.importing.bring_in(SELLER, STORE, key, body, dry_run=False)
    )
    market.count(report)
    if report is not None and report.applied:
        market.on_hand[sku] += int(row["free"]) - int(row["free_seen"])


async def edit(market: Market, node: Node, chance: random.Random) -> None:
    """A product costs something else from now on."""
    ware, price_minor = chance.choice(market.wares), chance.choice([900, 2_600, 31_000])
    said = ProductChange(price_minor=price_minor)
    await market.tell(node, lambda shop: shop.cart.shopping.edit_product(SELLER, ware.id, said))


async def announce(market: Market, node: Node, chance: random.Random) -> None:
    """A live price, or a flash that counts down, at once or not yet."""
    flash, key = chance.random() < 0.7, market.key()
    terms = Terms(
        product=chance.choice(market.wares).id,
        kind=DealKind.FLASH if flash else DealKind.LIVE,
        percent_off=chance.choice([10, 50]),
        units=chance.randint(1, 3) if flash else None,
        limit_per_buyer=chance.choice([None, 1]),
        shuts=flash and chance.random() < 0.3,
        length_s=300 if flash else None,
        starts_in_s=chance.choice([0, 10, None]) if flash else None,
    )
    show = market.show
    deal = await market.tell(
        node, lambda shop: shop.cart.dealing.announce(SELLER, show, key, terms)
    )
    market.count(deal)
    if deal is not None:
        market.deals.append(deal.id)


async def start_deal(market: Market, node: Node, chance: random.Random) -> None:
    """An announced deal starts."""
    deal, countdown_s = market.lately(market.deals, chance), chance.choice([0, 10])
    if deal is not None:
        await market.tell(node, lambda shop: shop.cart.dealing.start(SELLER, deal, countdown_s))


async def end_deal(market: Market, node: Node, chance: random.Random) -> None:
    """A deal is called off, or ends before its time."""
    deal, opens = market.lately(market.deals, chance), chance.random() < 0.5
    if deal is not None:
        await market.tell(node, lambda shop: shop.cart.dealing.end(SELLER, deal, opens=opens))


async def auction(market: Market, node: Node, chance: random.Random) -> None:
    """A lot is put up."""
    key, show = market.key(), market.show
    lot = NewAuction(
        sku=chance.choice(market.skus),
        quantity=chance.randint(1, 2),
        start_minor=chance.choice([1_000, 5_000]),
        length_s=60,
        claim_s=120,
        to_runner_up=chance.random() < 0.6,
    )
    done = await market.tell(node, lambda shop: shop.cart.auctioning.open(SELLER, show, key, lot))
    market.count(done)
    if isinstance(done, Opened):
        market.auctions.append(done.auction.id)


async def call_off(market: Market, node: Node, chance: random.Random) -> None:
    """The lot is taken back, if nobody has bid."""
    if market.auctions:
        one = market.auctions[-1]
        await market.tell(node, lambda shop: shop.cart.auctioning.cancel(SELLER, one))


async def refund(market: Market, node: Node, chance: random.Random) -> None:
    """Something goes back: units, money alone, or the whole rest."""
    order, key = market.lately(list(market.orders), chance), market.key()
    wish = chance.choice(
        [
            RefundWish((RefundLine(line=0, quantity=1),)),
            RefundWish(amount_minor=chance.randint(1, 900)),
            RefundWish(),
        ]
    )
    restock = chance.random() < 0.7
    if order is not None:
        market.count(
            await market.tell(
                node,
                lambda shop: shop.cart.checkout.refund(
                    SELLER, key, order, wish=wish, restock=restock, reason=""
                ),
            )
        )


async def end_show(market: Market, node: Node, chance: random.Random) -> None:
    """The show is over, and the next begins; the word of it may be lost."""
    over = market.show
    node.shop.shows[over] = ShowFacts(STORE, "ended", ())
    market.begin_show()
    if chance.random() < 0.7:
        await market.tell(node, lambda shop: shop.cart.dealing.follow_show(over))


async def rounds(market: Market, node: Node, chance: random.Random) -> None:
    """A node looks what is due, in whatever order."""
    count = len(market.rounds(node.shop))
    for number in chance.sample(range(count), chance.randint(1, count)):
        await market.tell(node, lambda shop, n=number: market.rounds(shop)[n]())  # type: ignore[misc]


async def time_passes(market: Market, node: Node, chance: random.Random) -> None:
    """It is later."""
    await market.pass_time(chance.choice(PASSING_S))


ACTS = (
    *(restock, sheet, edit, announce, start_deal, end_deal, auction, call_off, refund),
    *(end_show, rounds, time_passes),
)
