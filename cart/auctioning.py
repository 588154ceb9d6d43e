"""Auctions of a show: a seller opens one, buyers bid, the clock ends it.

Who wins gets the lot as a hold at the last price and pays for it as for any other. All is decided
by the database's clock, so nodes agree; a node only looks often enough who is due.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from cart.bidding import BidDesks
from cart.core import catalog
from cart.core.auction import Auction, AuctionState, NewAuction, NewBid, Offer, Own
from cart.errors import Conflict, Forbidden, Invalid, NotFound
from cart.ports.auctions import AdmitBidder, AuctionBook, Bid, BidAnswer, Lot, Opening
from cart.ports.deals import FindShow
from cart.rounds import run_rounds
from cart.shopping import Shopping, new_id

AUCTIONS_LISTED_LIMIT: Final = 50
"""Most auctions in one answer, the newest."""

DUE_LIMIT: Final = 64
"""Most auctions ended in one round; the rest go into the next, at once."""

END_EVERY_S: Final = 0.25
"""A winner hears of it at most this long after the end, if the database answers."""

SHOWS_EVERY_S: Final = 30.0
"""How often shows are asked for their stage, for when a word of theirs was lost."""


class Auctioning:
    """The use cases of auctions; `run` must be running for them to end."""

    def __init__(
        self,
        auctions: AuctionBook,
        shopping: Shopping,
        *,
        find_show: FindShow,
        admit_bidder: AdmitBidder,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._auctions = auctions
        self._bidding = BidDesks(auctions)
        self._shopping = shopping
        self._find_show = find_show
        self._admit_bidder = admit_bidder
        self._make_id = make_id

    async def open(self, person: str, show: str, key: str, chosen: NewAuction) -> Opening:
        """Open an auction in a show of one's own; the same key gives the same auction.

        Raises `Invalid`, `NotFound`, `Forbidden`.
        """
        _check_key(key)
        found = await self._find_show(show) if catalog.is_id(show) else None
        if found is None:
            raise NotFound("no such show")
        await self._shopping.own_store(person, found.store)
        lot = Lot(
            id=self._make_id(),
            hold=self._make_id(),
            show=show,
            store=found.store,
            seller=person,
            key=key,
            digest=hashlib.sha256(msgspec.json.encode((show, chosen))).hexdigest(),
            sku=chosen.sku,
            quantity=chosen.quantity,
            start_minor=chosen.start_minor,
            increments=chosen.increments,
            starts_in_ms=chosen.starts_in_s * 1000,
            length_ms=chosen.length_s * 1000,
            counter_bid_ms=chosen.counter_bid_s * 1000,
            sudden_death=chosen.sudden_death,
            claim_ms=chosen.claim_s * 1000,
            to_runner_up=chosen.to_runner_up,
        )
        earlier = await self._auctions.earlier(lot)
        if earlier is None and found.stage == "ended":
            raise NotFound("the show is over")
        return earlier or await self._auctions.open(lot)

    async def bid(self, buyer: str, auction: str, key: str, bid: NewBid) -> BidAnswer:
        """Bid in an auction; the same key counts once.

        Raises `Invalid`, `NotFound`, `Forbidden`, `Busy`.
        """
        _check_key(key)
        found = await self.auction(auction)
        name = await self._admit_bidder(found.show, buyer)
        if name is None:
            raise Forbidden("you may not bid in this store's shows")
        offer = Offer(buyer, name, bid.amount_minor, bid.max)
        return await self._bidding.decide(auction, Bid(key, offer))

    async def cancel(self, person: str, auction: str) -> Auction:
        """Call off an auction nobody has bid in; twice is once.

        Raises `NotFound`, `Forbidden`, `Conflict`.
        """
        found = await self.auction(auction)
        await self._shopping.own_store(person, found.store)
        off = await self._auctions.cancel(auction)
        if off is not None:
            return off
        found = await self.auction(auction)
        if found.state == AuctionState.CANCELLED:
            return found
        raise Conflict("somebody has bid, or it is over", state=str(found.state))

    async def auction(self, auction: str) -> Auction:
        """The auction of that id; raises `NotFound`."""
        found = await self._auctions.auction(auction) if catalog.is_id(auction) else None
        if found is None:
            raise NotFound("no such auction")
        return found

    async def own(self, auction: str, buyer: str) -> Own | None:
        """How a buyer fares in an auction; None when it has not bid."""
        return await self._auctions.own(auction, buyer)

    async def auctions(self, show: str, limit: int = AUCTIONS_LISTED_LIMIT) -> Sequence[Auction]:
        """A show's newest auctions, newest first."""
        return await self._auctions.newest(show, limit) if catalog.is_id(show) else ()

    async def forget(self, bidder: str) -> None:
        """Take a bidder's name out of all auctions; what was bid stays."""
        await self._auctions.forget(bidder)

    async def end_due(self) -> bool:
        """End what is due; whether there may be more."""
        due = await self._auctions.due(DUE_LIMIT)
        for auction in due:
            await self._auctions.end(auction)
        return len(due) == DUE_LIMIT

    async def follow_show(self, show: str) -> None:
        """The show's stage may have changed: once it is over, so is its auction."""
        found = await self._find_show(show) if catalog.is_id(show) else None
        if found is None or found.stage == "ended":
            await self._auctions.call_off(show)

    async def follow_shows(self) -> bool:
        """Let the auctions of all shows follow them; there is no more to do at once."""
        for show in await self._auctions.shows():
            await self.follow_show(show)
        return False

    async def run(self) -> None:
        """End auctions, and follow shows, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, play, every_s in (
                ("auctions", self.end_due, END_EVERY_S),
                ("auctions of shows", self.follow_shows, SHOWS_EVERY_S),
            ):
                tasks.create_task(run_rounds(name, play, wake=asyncio.Event(), idle_s=every_s))


def _check_key(key: str) -> None:
    if not catalog.is_key(key):
        raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
