"""Ways to pay, over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from cart.adapters.service import Cart

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]


class PaymentMethods(Struct, frozen=True, kw_only=True):
    """The providers an order can be paid at: `toss`, `stripe`, `sandbox`."""

    providers: Sequence[str]


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""

    async def payment_methods() -> PaymentMethods:
        """Where orders can be paid."""
        return PaymentMethods(providers=list(cart.providers))

    return [("GET", "/payments/methods", payment_methods, 200)]
