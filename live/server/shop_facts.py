"""What the shop assistant is told of the shop: cart's and the shows' facts in chat's words."""

from itertools import islice
from typing import Final

from cart.adapters.service import Cart
from cart.core.catalog import Product, Store
from cart.core.deal import Deal, price, runs
from cart.ports.deals import ShowFacts
from chat.core.assistant.facts import Delivery, Order, Shop, Ware
from live.show.shows import Shows

OPTIONS_TOLD_LIMIT: Final = 12
"""Most options of a product that are told; the rest are on its card."""


class ShopFacts:
    """Implements chat's `ShopFacts`."""

    def __init__(self, shows: Shows, cart: Cart) -> None:
        self._shows = shows
        self._cart = cart

    async def store(self, show: str) -> str | None:
        """The show's store; None where there is no such show."""
        found = await self._shows.find(show)
        return None if found is None else found.store

    async def shop(self, show: str, asker: str | None) -> Shop:
        """What is for sale now; with an asker, that person's newest order in the store too."""
        found = await self._shows.show(show)
        shopping = self._cart.shopping
        if found.lineup:
            products = await shopping.products(list(found.lineup))
        else:
            products = await shopping.products_in(found.store)
        order = None if asker is None else await self._order(found.store, asker)
        deals, now_ms = await self._cart.dealing.ruling(show)
        reduced = {deal.product: deal for deal in deals if runs(deal, now_ms) and not deal.skus}
        wares = tuple(_ware(product, reduced.get(product.id)) for product in products)
        delivery = _delivery(await shopping.store(found.store))
        return Shop(wares, found.pinned, delivery=delivery, order=order)

    async def _order(self, store: str, asker: str) -> Order | None:
        orders = await self._cart.checkout.orders_of(asker)
        newest = next((order for order in orders if order.store == store), None)
        return None if newest is None else Order(newest.lines[0].title, newest.state.value)


async def show_facts(shows: Shows, show: str) -> ShowFacts | None:
    """What cart is told of a show; None where there is none."""
    found = await shows.find(show)
    return None if found is None else ShowFacts(found.store, found.stage.value, found.lineup)


def _delivery(store: Store) -> Delivery | None:
    """The store's terms; None while its seller has not said, which is never answered."""
    terms = store.delivery
    if terms is None:
        return None
    return Delivery(
        fee_minor=terms.fee_minor,
        currency=store.currency,
        free_from_minor=terms.free_from_minor,
        days_least=terms.days_least,
        days_most=terms.days_most,
    )


def _ware(product: Product, deal: Deal | None) -> Ware:
    own_minor = product.price_minor
    return Ware(
        id=product.id,
        title=product.title,
        price_minor=own_minor if deal is None else price(deal, own_minor),
        currency=product.currency,
        free=product.free,
        was_minor=None if deal is None else own_minor,
        options=_options(product),
    )


def _options(product: Product) -> tuple[str, ...]:
    """What may be chosen and is to be had, each once; no more than a sentence can bear."""
    told = dict.fromkeys(option for sku in product.skus if sku.free for option in sku.options)
    return tuple(islice(told, OPTIONS_TOLD_LIMIT))
