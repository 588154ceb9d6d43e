"""Ways to pay, and refunds, over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from cart.adapters.service import Cart
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.money import PRICE_LIMIT_MINOR
from cart.core.order import HOLDS_LIMIT, Order
from cart.core.refund import REASON_LIMIT_CHARS, RefundLine, RefundWish

AMOUNT_LIMIT_MINOR: Final = PRICE_LIMIT_MINOR * QUANTITY_LIMIT_UNITS * HOLDS_LIMIT
"""No order costs more."""

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]


class PaymentMethods(Struct, frozen=True, kw_only=True):
    """The providers an order can be paid at: `toss`, `stripe`, `sandbox`."""

    providers: Sequence[str]


class ReturnedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of one line of an order; `line` is its place among the order's lines, from 0."""

    line: Annotated[int, Meta(ge=0, lt=HOLDS_LIMIT)]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_LIMIT_UNITS * HOLDS_LIMIT)]


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes back: lines, and their money; an amount; or, without either, the whole rest.

    With lines, `amount_minor` overrules what they cost. `restock`: the units are on sale again.
    """

    lines: Annotated[list[ReturnedLine], Meta(max_length=HOLDS_LIMIT)] = []
    amount_minor: Annotated[int, Meta(ge=1, le=AMOUNT_LIMIT_MINOR)] | None = None
    restock: bool = True
    reason: Annotated[str, Meta(max_length=REASON_LIMIT_CHARS)] = ""


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""

    async def payment_methods() -> PaymentMethods:
        """Where orders can be paid."""
        return PaymentMethods(providers=list(cart.providers))

    async def refund(
        person: str,
        idempotency_key: str,
        id: str,  # noqa: A002 - the path's name
        body: NewRefund,
    ) -> Order:
        """Give something of a paid order back; the same key gives the same refund.

        The seller may give back anything; the buyer may have the whole back.
        """
        lines = tuple(RefundLine(line=one.line, quantity=one.quantity) for one in body.lines)
        return await cart.checkout.refund(
            person,
            idempotency_key,
            id,
            wish=RefundWish(lines, body.amount_minor),
            restock=body.restock,
            reason=body.reason,
        )

    return [
        ("GET", "/payments/methods", payment_methods, 200),
        ("POST", "/orders/{id}/refunds", refund, 201),
    ]
