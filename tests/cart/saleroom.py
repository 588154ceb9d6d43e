"""Auctions for tests: short words for opening, bidding, ending and letting a lot go."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from cart.adapters.auction_routes import bidden, opened
from cart.core.auction import Auction, NewAuction, NewBid
from cart.core.catalog import Product
from cart.core.hold import Hold
from cart.ports.auctions import BidTaken
from cart.ports.deals import ShowFacts
from tests.cart.shop import SELLER, Shop

SHOW = "evening"


def hall(shop: Shop) -> None:
    """A live show of the seller's first store, and one of it that is over."""
    shop.shows[SHOW] = ShowFacts("camellia", "live", ())
    shop.shows["over"] = ShowFacts("camellia", "ended", ())


async def start(shop: Shop, product: Product, *, key: str = "a", **said: Any) -> Auction:
    """An auction of a product without options that must be opened."""
    hall(shop)
    chosen = NewAuction(sku=product.id, **({"start_minor": 10_000} | said))
    return opened(await shop.cart.auctioning.open(SELLER, SHOW, key, chosen))


async def bid(
    shop: Shop,
    auction: Auction,
    buyer: str,
    amount_minor: int,
    *,
    is_max: bool = False,
    key: str | None = None,
) -> BidTaken:
    """A bid that must be taken; its key is its amount if no other is said."""
    said = NewBid(amount_minor=amount_minor, max=is_max)
    answer = await shop.cart.auctioning.bid(buyer, auction.id, key or str(amount_minor), said)
    return bidden(answer)


async def run_out(shop: Shop, auction: Auction) -> Auction:
    """The auction's time is over; as it is after a sweep."""
    over = "UPDATE auctions SET ends_at = clock_timestamp() WHERE id = :id"
    await shop.sql(over, id=auction.id)
    await shop.cart.auctioning.end_due()
    return await shop.cart.auctioning.auction(auction.id)


async def let_lapse(shop: Shop, hold: Hold) -> None:
    """The time to take a lot is over, and a sweep has seen it."""
    await shop.sql("UPDATE holds SET expires_at = clock_timestamp() WHERE id = :id", id=hold.id)
    await shop.cart.expiry.sweep()


async def lot_of(shop: Shop, buyer: str) -> Hold | None:
    """What a buyer may order now."""
    holds, _ = await shop.cart.holding.live(buyer)
    return holds[0] if holds else None


async def bids_of(shop: Shop, auction: Auction) -> Sequence[Any]:
    """All bids that were taken, in their order."""
    query = text("SELECT * FROM auction_bids WHERE auction = :id ORDER BY sequence")
    async with shop.engine.connect() as connection:
        return (await connection.execute(query, {"id": auction.id})).all()
