"""Auctions over HTTP. Here, and only here, a refused opening or bid becomes an error."""

from collections.abc import Sequence

from msgspec import Struct

from cart import errors
from cart.adapters.routes import Operation
from cart.adapters.service import Cart
from cart.core import auction as core
from cart.core import stock
from cart.core.auction import Auction, NewAuction, NewBid, Own
from cart.ports import auctions as ports
from cart.ports.answers import KeyUsed


class Auctions(Struct, frozen=True, kw_only=True):
    """A show's auctions, newest first."""

    auctions: Sequence[Auction]


class Bidden(Struct, frozen=True, kw_only=True):
    """An auction, and how the one who asks fares in it; null: it has not bid."""

    auction: Auction
    own: Own | None


def operations(cart: Cart) -> list[Operation]:
    """The operations of auctions."""
    auctioning = cart.auctioning

    async def open_auction(
        person: str, show: str, idempotency_key: str, body: NewAuction
    ) -> Auction:
        """Open an auction in one's own show; its lot is held from now on."""
        return opened(await auctioning.open(person, show, idempotency_key, body))

    async def list_auctions(show: str) -> Auctions:
        """A show's auctions, newest first."""
        return Auctions(auctions=await auctioning.auctions(show))

    async def get_auction(visitor: str | None, auction: str) -> Bidden:
        """An auction, and one's own part in it."""
        found = await auctioning.auction(auction)
        own = None if visitor is None else await auctioning.own(auction, visitor)
        return Bidden(auction=found, own=own)

    async def bid(person: str, auction: str, idempotency_key: str, body: NewBid) -> Bidden:
        """Bid for one unit; who wins gets the whole lot. The same key counts once."""
        taken = bidden(await auctioning.bid(person, auction, idempotency_key, body))
        return Bidden(auction=taken.auction, own=taken.own)

    async def cancel(person: str, auction: str) -> Auction:
        """Call off an auction nobody has bid in."""
        return await auctioning.cancel(person, auction)

    return [
        ("POST", "/shows/{show}/auctions", open_auction, 201),
        ("GET", "/shows/{show}/auctions", list_auctions, 200),
        ("GET", "/auctions/{auction}", get_auction, 200),
        ("POST", "/auctions/{auction}/bids", bid, 201),
        ("POST", "/auctions/{auction}/cancel", cancel, 200),
    ]


def opened(opening: ports.Opening) -> Auction:
    """The auction that was opened; a refusal is raised as its error."""
    match opening:
        case ports.Opened(auction):
            return auction
        case KeyUsed():
            raise errors.IdempotencyMismatch
        case ports.AnotherOpen():
            raise errors.AuctionOpen("a show has one auction at a time")
        case stock.NoSuchSku(sku):
            raise errors.NotFound("no such SKU", sku=sku)
        case stock.LimitReached(product, limit):
            raise errors.LimitReached(f"at most {limit} for one", product=product, limit=limit)
        case stock.SoldOut(sku, free, held):
            raise errors.SoldOut("not that many are free", sku=sku, free=free, held=held)


def bidden(answer: ports.BidAnswer) -> ports.BidTaken:
    """The bid that was taken; a refusal is raised as its error."""
    match answer:
        case ports.BidTaken():
            return answer
        case KeyUsed():
            raise errors.IdempotencyMismatch
        case core.TooLow(minimum_minor):
            raise errors.BidTooLow("others bid more", minimum_minor=minimum_minor)
        case core.AlreadyLeading():
            raise errors.AlreadyLeading("you lead; only a max bid can be raised")
        case core.TooLate():
            raise errors.AuctionOver("the auction is over")
        case core.OwnLot():
            raise errors.Forbidden("a seller does not bid for its own lot")
        case stock.LimitReached(product, limit):
            raise errors.LimitReached(f"at most {limit} for one", product=product, limit=limit)
