"""What an order takes along besides units: a use of its coupon, and its buyer's points.

Everything happens in the transaction of the order's own event, after its holds were locked:
coupons by id, then earnings, then purses by buyer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Row, and_, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.checkout_tables import coupon_uses, coupons, point_earnings, point_transfers
from cart.adapters.coupon_book import to_coupon
from cart.adapters.points_book import lock_wallets, post, read_wallet
from cart.adapters.tables import among, stores
from cart.core.coupon import Coupon
from cart.core.order import Order
from cart.core.points import (
    WITHDRAWAL_DAYS,
    Journal,
    PointsReason,
    Purse,
    Transfer,
    Wallet,
    journal,
)
from cart.core.quote import Facts, Wish, still_earned

RIPE_AFTER: Final = text(f"interval '{WITHDRAWAL_DAYS} days'")


async def read_facts(
    connection: AsyncConnection, buyer: str, store: str, wish: Wish, facts: Facts, *, lock: bool
) -> Facts:
    """The facts with the coupon and the points of a wish, where it has any.

    With `lock`, neither can change before we commit.
    """
    coupon, uses = await _coupon(connection, buyer, store, wish, lock=lock)
    wallet = Wallet()
    if wish.points_minor:
        locked = await lock_wallets(connection, [buyer]) if lock else None
        wallet = locked[buyer] if locked else await read_wallet(connection, buyer)
    return replace(facts, coupon=coupon, uses=uses, ready_minor=wallet.ready_minor)


async def take(connection: AsyncConnection, order: Order, coupon: Coupon | None) -> None:
    """Use the coupon and set the points aside, both judged under their locks, for a new order."""
    if coupon is not None:
        more = update(coupons).where(coupons.c.id == coupon.id)
        await connection.execute(more.values(used=coupons.c.used + 1))
        use = {"order_id": order.id, "coupon": coupon.id, "buyer": order.buyer}
        await connection.execute(insert(coupon_uses).values(use))
    if order.points_minor:
        wallets = await lock_wallets(connection, [order.buyer])
        mine = (order.buyer, order.store, order.id)
        aside = _transfer(PointsReason.RESERVE, *mine, order.points_minor, _RESERVE)
        await post(connection, wallets, [aside])


async def settle(connection: AsyncConnection, order: Order) -> None:
    """A locked order is paid: its points are the store's, what it earns is on its way."""
    moves = []
    mine = (order.buyer, order.store, order.id)
    if order.points_minor:
        moves.append(_transfer(PointsReason.SPEND, *mine, order.points_minor, _SPEND))
    if order.earns_minor:
        moves.append(_transfer(PointsReason.EARN, *mine, order.earns_minor, _EARN))
        fresh = insert(point_earnings).values(
            order_id=order.id,
            buyer=order.buyer,
            store=order.store,
            left_minor=order.earns_minor,
            ripe_at=func.clock_timestamp() + RIPE_AFTER,
            days=select(stores.c.points_days).where(stores.c.slug == order.store).scalar_subquery(),
        )
        await connection.execute(fresh)
    if moves:
        await post(connection, await lock_wallets(connection, [order.buyer]), moves)


async def give_back(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """Locked orders are over: their coupons can be used again, their points go back."""
    if not ids:
        return
    await _return_uses(connection, ids)
    query = select(point_earnings).where(among(point_earnings.c.order_id, ids))
    query = query.order_by(point_earnings.c.order_id).with_for_update(key_share=True)
    earnings = {row.order_id: row for row in await connection.execute(query)}
    journals = await _journals(connection, ids)
    if not journals:
        return
    wallets = await lock_wallets(connection, [buyer for buyer, _, _ in journals.values()])
    left = dict(wallets)
    moves: list[Transfer] = []
    for order, (buyer, store, so_far) in sorted(journals.items()):
        for move in _undoing(order, buyer, store, so_far, earnings.get(order), left[buyer]):
            after = left[buyer].after(move)
            assert after is not None, "points were spent twice"
            left[buyer] = after
            moves.append(move)
    await post(connection, wallets, moves)
    none_left = update(point_earnings).where(among(point_earnings.c.order_id, earnings))
    await connection.execute(none_left.values(left_minor=0))


async def refund_points(
    connection: AsyncConnection, order: Order, ref: str, points_minor: int
) -> None:
    """Part of a locked, paid order goes back: `points_minor` of what was spent on it, and what the
    money that is back had earned.

    `ref` names the refund, which the order has already, among its others. What was earned and is
    spent already is not asked for again.
    """
    earns_minor = still_earned(order, order.refunded_minor)
    query = select(point_earnings).where(point_earnings.c.order_id == order.id)
    earning = (await connection.execute(query.with_for_update(key_share=True))).first()
    wallets = await lock_wallets(connection, [order.buyer])
    mine = (order.buyer, order.store, order.id)
    moves: list[Transfer] = []
    wallet = wallets[order.buyer]
    if points_minor:
        moves.append(_transfer(PointsReason.REFUND, *mine, points_minor, _REFUND, ref))
        wallet = msgspec.structs.replace(wallet, ready_minor=wallet.ready_minor + points_minor)
    clawed = None if earning is None else _clawed(earning, wallet, earning.left_minor - earns_minor)
    if clawed is not None:
        purse, amount_minor = clawed
        moves.append(_transfer(PointsReason.CLAW, *mine, amount_minor, (purse, Purse.STORE), ref))
    await post(connection, wallets, moves)
    less = update(point_earnings).where(point_earnings.c.order_id == order.id)
    left = func.least(point_earnings.c.left_minor, earns_minor)
    await connection.execute(less.values(left_minor=left))


_RESERVE: Final = (Purse.READY, Purse.RESERVED)
_SPEND: Final = (Purse.RESERVED, Purse.STORE)
_EARN: Final = (Purse.STORE, Purse.PENDING)
_RETURN: Final = (Purse.RESERVED, Purse.READY)
_REFUND: Final = (Purse.STORE, Purse.READY)


def _transfer(
    reason: PointsReason,
    buyer: str,
    store: str,
    order: str,
    amount_minor: int,
    way: tuple[Purse, Purse],
    part: str = "",
) -> Transfer:
    return Transfer(
        ref=f"{reason} {order} {part}".strip(),
        reason=reason,
        buyer=buyer,
        store=store,
        order=order,
        source=way[0],
        target=way[1],
        amount_minor=amount_minor,
    )


def _undoing(
    order: str,
    buyer: str,
    store: str,
    so_far: Journal,
    earning: Row[Any] | None,
    wallet: Wallet,
) -> Iterable[Transfer]:
    """What takes back all that an order still has of its buyer's points, or gave."""
    mine = (buyer, store, order)
    if so_far.reserved_minor:
        yield _transfer(PointsReason.RETURN, *mine, so_far.reserved_minor, _RETURN)
    refunded = so_far.spent_minor - so_far.refunded_minor
    ready = wallet.ready_minor
    if refunded:
        yield _transfer(PointsReason.REFUND, *mine, refunded, _REFUND)
        ready += refunded
    if earning is None:
        return
    wealth = Wallet(ready_minor=ready, pending_minor=wallet.pending_minor)
    clawed = _clawed(earning, wealth, earning.left_minor)
    if clawed is not None:
        yield _transfer(PointsReason.CLAW, *mine, clawed[1], (clawed[0], Purse.STORE))


def _clawed(earning: Row[Any], wallet: Wallet, owed_minor: int) -> tuple[Purse, int] | None:
    """From where how much of what was earned comes back: never more than is there."""
    if earning.ripe:
        purse, amount_minor = Purse.READY, min(owed_minor, wallet.ready_minor)
    else:
        purse, amount_minor = Purse.PENDING, owed_minor
    return (purse, amount_minor) if amount_minor > 0 else None


async def _coupon(
    connection: AsyncConnection, buyer: str, store: str, wish: Wish, *, lock: bool
) -> tuple[Coupon | None, int]:
    if wish.coupon is None:
        return None, 0
    query = select(coupons).where(coupons.c.store == store, coupons.c.code == wish.coupon)
    row = (
        await connection.execute(query.with_for_update(key_share=True) if lock else query)
    ).first()
    if row is None:
        return None, 0
    theirs = and_(
        coupon_uses.c.coupon == row.id,
        coupon_uses.c.buyer == buyer,
        coupon_uses.c.given_back.is_(False),
    )
    uses = await connection.scalar(select(func.count()).where(theirs))
    return to_coupon(row), uses or 0


async def _return_uses(connection: AsyncConnection, ids: Sequence[str]) -> None:
    mine = and_(among(coupon_uses.c.order_id, ids), coupon_uses.c.given_back.is_(False))
    uses = (await connection.execute(select(coupon_uses.c.coupon).where(mine))).scalars().all()
    if not uses:
        return
    counts: Mapping[str, int] = {one: uses.count(one) for one in sorted(set(uses))}
    lock = select(coupons.c.id).where(among(coupons.c.id, counts)).order_by(coupons.c.id)
    await connection.execute(lock.with_for_update(key_share=True))
    for coupon, count in counts.items():
        fewer = update(coupons).where(coupons.c.id == coupon)
        await connection.execute(fewer.values(used=coupons.c.used - count))
    await connection.execute(update(coupon_uses).where(mine).values(given_back=True))


async def _journals(
    connection: AsyncConnection, ids: Sequence[str]
) -> dict[str, tuple[str, str, Journal]]:
    query = select(point_transfers).where(among(point_transfers.c.order_id, ids))
    deeds: dict[str, list[Transfer]] = {}
    for row in await connection.execute(query):
        deeds.setdefault(row.order_id, []).append(
            Transfer(
                ref=row.ref,
                reason=PointsReason(row.reason),
                buyer=row.buyer,
                store=row.store,
                order=row.order_id,
                source=Purse(row.source),
                target=Purse(row.target),
                amount_minor=row.amount_minor,
            )
        )
    return {order: (done[0].buyer, done[0].store, journal(done)) for order, done in deeds.items()}
