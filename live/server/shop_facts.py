"""What the shop assistant is told of the shop: cart's and the shows' facts in chat's words.

Delivery and options are not told: cart does not keep them.
"""

from cart.adapters.service import Cart
from cart.core.catalog import Product
from chat.core.assistant.facts import Order, Shop, Ware
from live.show.shows import Shows


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
        return Shop(tuple(_ware(product) for product in products), found.pinned, order=order)

    async def _order(self, store: str, asker: str) -> Order | None:
        orders = await self._cart.checkout.orders_of(asker)
        newest = next((order for order in orders if order.store == store), None)
        return None if newest is None else Order(newest.lines[0].title, newest.state.value)


def _ware(product: Product) -> Ware:
    return Ware(product.id, product.title, product.price_minor, product.currency, product.free)
