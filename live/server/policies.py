"""Where the packages meet: events of one become commands to another. Nobody else connects them.

| event                          | command                                                        |
|--------------------------------|----------------------------------------------------------------|
| cart: stock, price, product, … | publish to every unended show of the store that carries it      |
| cart: deal, auction, codes     | publish to its show                                             |
| cart: bidding                  | publish to the bidder's sockets in the auction's show           |
| cart: order                    | publish to the sellers' sockets of the store's unended shows    |
| cart: refund                   | publish to the sellers' sockets and to the buyer's              |
| cart: offer, wait              | publish to the buyer's sockets of the store's unended shows     |
| cart: waiting                  | publish to the sellers' sockets of the store's unended shows    |
| discovery: followed, no longer | tell that person in the store's unended shows                  |
| chat: a viewer said something  | cart: buy if it was a code; tell that viewer (`code_orders`)    |
| show: on air, off air          | publish `on_air`                                               |
| show: on air, ended            | cart: the show's deals and auction follow it                   |
| show: pinned, arranged         | publish `product` for what was not carried, `pin`               |
| show: ended                    | publish `ended`, take the publisher off                        |
| relay: media flows, stops      | show: on air, off air                                          |
| relay: publisher replaced      | publish `taken_over` to the sellers' sockets (`takeovers`)      |
| relay: how viewers fare        | publish `media` to the sellers' sockets (`health`)              |
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Protocol

import structlog

from chat.core.addressee import EVERYBODY, SELLER, person
from chat.core.standing import Followed
from live.server import room_events
from live.server.room_events import message
from live.show.core.lineup import carries
from live.show.core.stage import Show
from live.show.errors import ShowError
from live.show.ports import Arranged, Ended, Event, Pinned, WentOffAir, WentOnAir
from live.show.shows import Shows

log = structlog.get_logger()

RETRY_S: Final = 1.0

Message = dict[str, Any]
Products = Callable[[Sequence[str]], Awaitable[list[Message]]]
"""Product ids → products as the room tells them."""


class Publish(Protocol):
    """Tell everybody in a show's room, on every node."""

    async def __call__(
        self, show: str, event: Message, to: str = EVERYBODY, key: str | None = None
    ) -> None:
        """Publish one event, once for a key. Raises when it is not known to have got through."""


_ABOUT: Final = frozenset({"audience", "person", "show", "key"})
"""Members of cart's events that are for us and not for viewers: who hears of it, in which show."""


PEOPLE_AT_ONCE: Final = 32
"""So many people are told what is theirs alone at a time."""


class CartToRooms:
    """Cart's events go to the rooms of the store's shows; a failure is for the outbox to retry, and
    by their keys the rooms are told none of them twice."""

    def __init__(self, shows: Shows, publish: Publish) -> None:
        self._shows = shows
        self._publish = publish

    async def __call__(self, store: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Publish the events where they matter, in order; to each person his own, in order."""
        shows = await self._shows.unended(store)
        for own, run in groupby(events, key=lambda event: event.get("audience") == "person"):
            if own:
                await self._tell_each(list(run), shows)
            else:
                await self._tell(run, shows)

    async def _tell(self, events: Iterable[Mapping[str, Any]], shows: Sequence[Show]) -> None:
        for event in events:
            message = {name: value for name, value in event.items() if name not in _ABOUT}
            to = _audience(event)
            for show in shows:
                if _matters(event, show):
                    await self._publish(show.id, message, to, event["key"])

    async def _tell_each(self, events: Sequence[Mapping[str, Any]], shows: Sequence[Show]) -> None:
        """Nobody's own waits for what is another's: thousands may have offers at once."""
        by_person: dict[str, list[Mapping[str, Any]]] = {}
        for event in events:
            by_person.setdefault(event["person"], []).append(event)
        turns = asyncio.Semaphore(PEOPLE_AT_ONCE)

        async def tell(own: Sequence[Mapping[str, Any]]) -> None:
            async with turns:
                await self._tell(own, shows)

        async with asyncio.TaskGroup() as tasks:
            for own in by_person.values():
                tasks.create_task(tell(own))


def _audience(event: Mapping[str, Any]) -> str:
    match event.get("audience"):
        case "seller":
            return SELLER
        case "person":
            return person(event["person"])
        case _:
            return EVERYBODY


def _matters(event: Mapping[str, Any], show: Show) -> bool:
    if "show" in event:
        return bool(event["show"] == show.id)
    product = event.get("product")
    if isinstance(product, Mapping):
        product = product.get("id")
    return not isinstance(product, str) or carries(show, product)


class FollowingsToRooms:
    """Who begins to follow a store, or ends it, is told so in its rooms, which then know it too."""

    def __init__(self, shows: Shows, publish: Publish) -> None:
        self._shows = shows
        self._publish = publish

    async def __call__(self, store: str, account: str, follows: bool) -> None:
        """Raises when it is not known to have got through."""
        for show in await self._shows.unended(store):
            await self._publish(show.id, message(Followed(account, follows)), person(account))


class ShowsToRooms:
    """Shows' events go to their rooms. What is lost with a store, the next snapshot heals.

    `end_media`: takes a show's publisher off. `follow`: lets the deals and the auction of a
    show follow its stage; what of that is lost cart's own rounds find.
    """

    def __init__(
        self,
        publish: Publish,
        products: Products,
        end_media: Callable[[str], None],
        follow: Callable[[str], Awaitable[None]],
    ) -> None:
        self._publish = publish
        self._products = products
        self._end_media = end_media
        self._follow = follow

    async def __call__(self, event: Event) -> None:
        """Publish what follows from the event; never raises.

        Viewers hear that the show is over before their sessions end, so that they do not ask again.
        """
        try:
            for message in await self._messages(event):
                await self._publish(event.show.id, message)
        except Exception as error:  # noqa: BLE001 - the change itself is durable already
            log.warning("room was not told", show=event.show.id, error=repr(error))
        finally:
            if isinstance(event, Ended):
                self._end_media(event.show.id)
        if isinstance(event, WentOnAir | Ended):
            await self._let_offers_follow(event.show.id)

    async def _let_offers_follow(self, show: str) -> None:
        try:
            await self._follow(show)
        except Exception as error:  # noqa: BLE001 - the change itself is durable already
            log.warning("deals and auction did not follow their show", show=show, error=repr(error))

    async def _messages(self, event: Event) -> list[Message]:
        match event:
            case WentOnAir():
                return [message(room_events.OnAir(True))]
            case WentOffAir():
                return [message(room_events.OnAir(False))]
            case Pinned(show):
                return [message(room_events.Pin(show.pinned))]
            case Arranged(_, added):
                products = await self._products(added) if added else []
                return [{"type": "product", "product": product} for product in products]
            case Ended():
                return [message(room_events.OnAir(False)), message(room_events.Ended())]


class StageDoor:
    """The relay says, without waiting, whose media flows; shows are told in a task of ours.

    Only the latest word about a show counts. `run` must be running.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, bool] = {}
        self._said = asyncio.Event()

    def on_stage(self, show: str, on_air: bool) -> None:
        """Media began to flow or stopped."""
        self._wanted[show] = on_air
        self._said.set()

    async def run(self, shows: Shows) -> None:
        """Tell shows until cancelled; what a lost store refuses is told again."""
        while True:
            await self._said.wait()
            self._said.clear()
            wanted, self._wanted = self._wanted, {}
            missed = {
                show: on_air
                for show, on_air in wanted.items()
                if not await _tell_media(shows, show, on_air)
            }
            if missed:
                self._wanted = missed | self._wanted
                await asyncio.sleep(RETRY_S)
                self._said.set()


async def _tell_media(shows: Shows, show: str, on_air: bool) -> bool:
    """Whether the show knows now, or need not know."""
    try:
        await (shows.media_flows(show) if on_air else shows.media_stops(show))
    except ShowError as error:
        log.info("media of a show that cannot be on air", show=show, error=str(error))
    except Exception as error:  # noqa: BLE001 - the door stays open whatever a store says
        log.warning("show not told of its media", show=show, error=repr(error))
        return False
    return True
