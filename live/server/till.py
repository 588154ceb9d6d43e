"""The shop's till in every room: viewers' wishes are asked of cart, and answered as over HTTP.

Many ask at once, so nobody costs a task: cart's promise is kept by a callback.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from cart.adapters.routes import granted
from cart.core.hold import HoldLine
from cart.core.stock import Decision
from cart.errors import Busy, CartError, SignInRequired
from cart.holding import Holding
from chat.core.commands import Want
from chat.core.events import Held, NotHeld
from live.server.responses import describe

Answer = Callable[[Held | NotHeld], None]


class ShopTill:
    """A `chat.ports.Till` over cart's holding."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding

    def hold(self, person: str | None, show: str, wish: Want, answer: Answer) -> None:
        """Ask for a hold; `answer` is called once, now or when it is durable."""
        try:
            if person is None:
                raise SignInRequired("Sign in first.")
            lines = [
                HoldLine(sku=line.sku, quantity=line.quantity, price_minor=line.price_minor)
                for line in wish.lines
            ]
            promise = self._holding.ask(person, wish.id, lines, show=show)
        except CartError as error:
            answer(self.refuse(wish.id, error))
        else:
            promise.add_done_callback(partial(self._keep, wish.id, answer))

    def refuse(self, key: str, error: Exception) -> NotHeld:
        """Why nothing is held, as HTTP would tell it."""
        return NotHeld(id=key, problem=describe(error))

    def _keep(self, key: str, answer: Answer, promise: asyncio.Future[Decision]) -> None:
        try:
            holds = granted(promise.result())
        except asyncio.CancelledError:
            answer(self.refuse(key, Busy()))  # the node stops: ask again, elsewhere
        except Exception as error:  # noqa: BLE001 - each asker is told what it got
            answer(self.refuse(key, error))
        else:
            answer(Held(id=key, holds=holds, now_ms=holds[0].now_ms))
