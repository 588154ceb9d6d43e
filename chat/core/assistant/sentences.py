"""What the assistant says, in both languages: all of its sentences, and how money looks."""

from typing import Final

from chat.core.assistant.facts import Delivery, Order, Ware

_DECIMALS: Final = {"KRW": 0, "JPY": 0}
"""Currencies without smaller units; others have two digits."""
_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
_STATES: Final = {
    "placed": ("결제를 기다리고 있어요", "is waiting for payment"),
    "paying": ("결제를 확인하고 있어요", "is being paid"),
    "paid": ("결제되어 준비하고 있어요", "is paid and being prepared"),
    "shipped": ("배송 중이에요", "is on its way"),
    "delivered": ("배송 완료되었어요", "has been delivered"),
    "cancelled": ("취소되었어요", "was cancelled"),
    "expired": ("결제 시간이 지나 취소되었어요", "ran out of time to be paid"),
}


def money(minor: int, currency: str, *, korean: bool) -> str:
    """An amount as people write it: 12,000원, ₩12,000, $12.50."""
    decimals = _DECIMALS.get(currency, 2)
    amount = f"{minor // 10**decimals:,}"
    if decimals:
        amount += f".{minor % 10**decimals:0{decimals}d}"
    if currency == "KRW":
        return f"{amount}원" if korean else f"₩{amount}"
    sign = _SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency}"


def stock(ware: Ware, *, korean: bool) -> str:
    """How many are left."""
    if ware.free == 0:
        return f"{ware.title}: 지금은 품절이에요." if korean else f"{ware.title}: sold out for now."
    left = f"{ware.free:,}"
    return f"{ware.title}: {left}개 남았어요." if korean else f"{ware.title}: {left} left."


def price(ware: Ware, *, korean: bool) -> str:
    """What it costs, and what it cost before the deal."""
    now = money(ware.price_minor, ware.currency, korean=korean)
    if ware.was_minor is None or ware.was_minor <= ware.price_minor:
        return f"{ware.title}: {now}이에요." if korean else f"{ware.title}: {now}."
    was = money(ware.was_minor, ware.currency, korean=korean)
    if korean:
        return f"{ware.title}: 할인해서 {now}이에요 (원래 {was})."
    return f"{ware.title}: {now} in this deal (was {was})."


def options(ware: Ware, *, korean: bool) -> str:
    """Which sizes or colours there are."""
    listed = ", ".join(ware.options)
    return f"{ware.title}: {listed} 있어요." if korean else f"{ware.title} comes in {listed}."


def fee(delivery: Delivery, *, korean: bool) -> str:
    """What delivery costs."""
    if delivery.fee_minor == 0:
        return "배송비는 무료예요." if korean else "Delivery is free."
    cost = money(delivery.fee_minor, delivery.currency, korean=korean)
    if delivery.free_from_minor is None:
        return f"배송비는 {cost}이에요." if korean else f"Delivery is {cost}."
    bound = money(delivery.free_from_minor, delivery.currency, korean=korean)
    if korean:
        return f"배송비는 {cost}이고, {bound} 이상이면 무료예요."
    return f"Delivery is {cost}, free from {bound}."


def time(delivery: Delivery, *, korean: bool) -> str:
    """How long delivery takes."""
    least, most = delivery.days_least, delivery.days_most
    days = str(most) if least == most else f"{least}–{most}"
    if korean:
        return f"결제 후 {days}일 안에 도착해요."
    return f"It arrives within {days} {'day' if most == 1 else 'days'} of payment."


def order(found: Order, *, korean: bool) -> str | None:
    """How the asker's order stands; None for a state nobody has words for."""
    words = _STATES.get(found.state)
    if words is None:
        return None
    return (
        f"{found.title}: 주문이 {words[0]}." if korean else f"{found.title}: your order {words[1]}."
    )


def no_order(*, korean: bool) -> str:
    """Nothing was ordered here."""
    return (
        "아직 이 상점에서 주문하신 내역이 없어요."
        if korean
        else "You have no order in this store yet."
    )
