"""How other shops came to sell what they did not have, one test for each, and that we do not.

1. Saleor, issue 543: checkouts at once allocated more than there was.
2. Saleor, issue 5334: one order in so many was placed without its units.
3. Magento 2, issue 6363: eighteen front ends brought the stock to -14.
4. OpenCart, issue 4811: stock was checked when the cart was filled, and not at the last step.
5. nopCommerce, issue 4184: two carts, each below the stock, together above it, both went through.
6. Vendure, issue 3508: the check and the allocation were two transactions.
7. Medusa, issue 16569: who called the services past their lock made the reserved units drift.
8. Medusa, issue 16502: two lines of one cart were each compared with the same stock.
9. django-shop, issue 888: an edit wrote back the stock it had read, over what was sold meanwhile.
10. Shopper, pull request 591: stock was reserved after the commit, by a listener that may die.
11. Spree, pull request 13978: nothing was held for the buyer who was at the payment page.
12. Compressor, issue 1215 and pull request 1198: rows were consumed for units, and a way to fill
    the cart went past the reservation.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import ModuleType

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cart.adapters import ledger, moving, orders, sku_rows
from cart.adapters.database import Database
from cart.adapters.ledger import SqlBatch, SqlLedger
from cart.adapters.orders import SqlOrderBook
from cart.adapters.payment_sandbox import Trick
from cart.adapters.stockroom import SqlStockroom
from cart.core.bulk import Fault
from cart.core.catalog import Product
from cart.core.draft import ProductChange, Rule
from cart.core.hold import HoldLine
from cart.core.movement import Reason
from cart.core.order import Order, OrderState
from cart.core.payment import Standing
from cart.core.recount import Drift
from cart.core.refund import RefundLine, RefundWish
from cart.core.stock import Decision, Granted, HoldRequest, Outcome, Repeated, Sku, SoldOut
from cart.errors import HoldExpired, NotEnoughStock
from cart.holding import Holding
from cart.ports.stock import Batch
from tests.cart.shop import (
    BUYER,
    SELLER,
    STRANGER,
    Shop,
    committing,
    cut_after,
    make_shop,
    waits_for_a_lock,
)

WITHOUT_THEIR_UNITS = text(
    "SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id LEFT JOIN"
    " (SELECT order_id, sku, sum(quantity) AS units FROM holds"
    "  WHERE state IN ('ordered', 'paying', 'sold') GROUP BY order_id, sku) AS h"
    " ON h.order_id = o.id AND h.sku = l.sku WHERE coalesce(h.units, 0) <>"
    " CASE WHEN o.state IN ('placed', 'paying', 'paid') THEN l.quantity ELSE 0 END"
)


async def buy(node: Shop, lines: Sequence[tuple[Product, int]], buyer: str) -> Order | Decision:
    """Hold, order and pay; the order at its end, or why there is none. May be repeated."""
    wanted = [HoldLine(sku=product.id, quantity=quantity) for product, quantity in lines]
    asked = await node.cart.holding.hold(buyer, "k", wanted)
    if not isinstance(asked, Granted | Repeated):
        return asked
    order = await node.order(*asked.holds, buyer=buyer)
    await node.cart.settling.settle(await node.pay(order, Standing.AUTHORIZED))
    return await node.cart.checkout.order(buyer, order.id)


def paid(ends: Sequence[Order | Decision]) -> list[Order]:
    """The paid orders among the ends; all others were told that it is sold out."""
    bought = [end for end in ends if isinstance(end, Order)]
    assert {order.state for order in bought} <= {OrderState.PAID}
    assert all(isinstance(end, Order | SoldOut) for end in ends)
    return bought


async def without_their_units(shop: Shop) -> Sequence[str]:
    """The orders whose holds are not what their lines say."""
    async with shop.engine.connect() as connection:
        return list((await connection.execute(WITHOUT_THEIR_UNITS)).scalars())


def both_hold(product: Product) -> Drift:
    """What the recount tells when two hold the one unit there is."""
    return Drift(product.id, free=1, held=-1, sold=0, held_rows=-1, sold_rows=0)


async def test_saleor_543_checkouts_at_once_allocated_more_than_there_was(shop: Shop) -> None:
    tea = await shop.stock(3)
    ends = await asyncio.gather(*(buy(shop, [(tea, 1)], f"b{n}") for n in range(8)))
    assert len(paid(ends)) == 3
    assert await shop.counters(tea) == (0, 0, 3)
    assert await shop.drifts() == []


async def test_saleor_5334_an_order_was_placed_without_its_units(shop: Shop) -> None:
    """The seller edits and restocks, and some cancel, while others buy."""
    tea, cake = await shop.stock(4), await shop.stock(4)

    async def think_better_of_it(buyer: str) -> None:
        order = await buy(shop, [(tea, 1)], buyer)
        if isinstance(order, Order):
            await shop.cart.checkout.cancel(buyer, order.id)

    async def edit(number: int) -> None:
        change = ProductChange(title=f"name {number}")
        await shop.cart.shopping.edit_product(SELLER, tea.id, change)
        await shop.restock(cake, 1)

    *_, ends = await asyncio.gather(
        *(think_better_of_it(f"c{n}") for n in range(2)),
        *(edit(n) for n in range(2)),
        asyncio.gather(*(buy(shop, [(tea, 1), (cake, 2)], f"b{n}") for n in range(4))),
    )
    assert isinstance(ends, list)
    assert paid(ends)
    assert await without_their_units(shop) == []
    assert await shop.drifts() == []


async def test_magento_6363_eighteen_front_ends_brought_the_stock_below_zero(
    shop: Shop, engine: AsyncEngine
) -> None:
    product = await shop.stock(14)
    nodes = [make_shop(engine) for _ in range(18)]
    async with committing(*nodes):
        decisions = await asyncio.gather(
            *(node.ask(product.id, buyer=f"b{n}", quantity=3) for n, node in enumerate(nodes))
        )
    assert sum(isinstance(one, Granted) for one in decisions) == 4
    assert decisions.count(SoldOut(product.id, free=2, held=12)) == 14
    assert await shop.counters(product) == (2, 12, 0)
    assert await shop.drifts() == []


async def test_control_magento_6363_without_row_locks_two_hold_the_one_unit(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, other = await shop.stock(1), make_shop(engine)
    both_have_read = asyncio.Barrier(2)
    read = sku_rows.lock_asked

    async def read_both(
        connection: AsyncConnection, requests: Sequence[HoldRequest]
    ) -> dict[str, Sku]:
        found = await read(connection, requests)
        await both_have_read.wait()
        return found

    unlocked = text(str(sku_rows.LOCK_ASKED).partition(" FOR NO KEY UPDATE")[0])
    monkeypatch.setattr(sku_rows, "LOCK_ASKED", unlocked)
    monkeypatch.setattr(ledger, "lock_asked", read_both)
    async with committing(other):
        asked = await asyncio.gather(shop.hold(product), other.hold(product, buyer=STRANGER))
    assert len({hold.id for hold in asked}) == 2
    assert await shop.drifts() == [both_hold(product)]


async def test_opencart_4811_stock_was_not_checked_at_the_last_step(shop: Shop) -> None:
    """Who filled the basket in time and orders too late does not get what another has bought."""
    product = await shop.stock(1)
    hold = await shop.hold(product)
    await shop.let_time_pass()
    assert isinstance(await shop.ask(product.id, buyer=STRANGER), SoldOut), "not swept, not free"
    await shop.cart.expiry.sweep()
    (bought,) = paid([await buy(shop, [(product, 1)], "quicker")])
    for last_step in (shop.cart.checkout.quote(BUYER, holds=[hold.id]), shop.order(hold)):
        with pytest.raises(HoldExpired):
            await last_step
    assert bought.lines[0].quantity == 1
    assert await shop.counters(product) == (0, 0, 1)


async def test_nopcommerce_4184_two_carts_together_above_the_stock_went_through(
    shop: Shop, engine: AsyncEngine
) -> None:
    """On two nodes, the products named in opposite orders: one basket whole, and no deadlock."""
    tea, cake, other = await shop.stock(5), await shop.stock(5), make_shop(engine)
    async with committing(other):
        ends = await asyncio.gather(
            buy(shop, [(tea, 3), (cake, 4)], BUYER), buy(other, [(cake, 3), (tea, 4)], STRANGER)
        )
    (bought,) = paid(ends)
    (refused,) = [end for end in ends if isinstance(end, SoldOut)]
    got = {line.product: line.quantity for line in bought.lines}
    assert refused.free == 5 - got[refused.sku], "and is told what is left"
    assert await shop.counters(tea) == (5 - got[tea.id], 0, got[tea.id])
    assert await shop.counters(cake) == (5 - got[cake.id], 0, got[cake.id])


async def test_vendure_3508_check_and_allocation_were_two_transactions(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rival stands at the door between our check and our writing, and finds nothing left."""
    product, other, keep = await shop.stock(1), make_shop(engine), SqlBatch.keep

    async def keep_late(batch: SqlBatch, requests: Sequence[HoldRequest], outcome: Outcome) -> None:
        if outcome.holds:
            await waits_for_a_lock(engine)
        await keep(batch, requests, outcome)

    monkeypatch.setattr(SqlBatch, "keep", keep_late)
    async with committing(other):
        asked = await asyncio.gather(shop.ask(product.id), other.ask(product.id, buyer=STRANGER))
    assert sum(isinstance(one, Granted) for one in asked) == 1
    assert SoldOut(product.id, free=0, held=1) in asked
    assert await shop.drifts() == []


class ChecksFirst:
    """A ledger that decides by what an earlier transaction has read, under every lock."""

    def __init__(self, engine: AsyncEngine, all_have_checked: asyncio.Barrier) -> None:
        self._ledger = SqlLedger(Database(engine))
        self._all_have_checked = all_have_checked

    @asynccontextmanager
    async def batch(self, requests: Sequence[HoldRequest], hold_ms: int) -> AsyncIterator[Batch]:
        async with self._ledger.batch(requests, hold_ms) as checked:
            facts = checked.facts
        await self._all_have_checked.wait()
        async with self._ledger.batch(requests, hold_ms) as opened:
            opened.facts = facts
            yield opened

    release = extend = live = sweep = None


async def test_control_vendure_3508_in_two_transactions_two_hold_the_one_unit(
    shop: Shop, engine: AsyncEngine
) -> None:
    product, all_have_checked = await shop.stock(1), asyncio.Barrier(2)
    line = HoldLine(sku=product.id)
    async with asyncio.TaskGroup() as group:
        checks_first = ChecksFirst(engine, all_have_checked)
        nodes = [Holding(checks_first, hold_seconds=300) for _ in range(2)]  # type: ignore[arg-type]
        running = [group.create_task(node.run()) for node in nodes]
        asked = await asyncio.gather(
            *(node.hold(f"b{n}", "k", [line]) for n, node in enumerate(nodes))
        )
        for task in running:
            task.cancel()
    assert all(isinstance(one, Granted) for one in asked)
    assert await shop.drifts() == [both_hold(product)]


async def test_medusa_16569_services_called_past_the_lock_made_reserved_units_drift(
    shop: Shop,
) -> None:
    """Each door there is, three times at once and past the use cases: each counts once."""
    product, database = await shop.stock(20), Database(shop.engine)
    let_go, late, called_off, bought, returned = [
        await shop.hold(product, key=f"k{quantity}", quantity=quantity) for quantity in range(1, 6)
    ]
    await shop.sql("UPDATE holds SET expires_at = now() WHERE id = :id", id=late.id)
    cancelled, sold, refunded = [
        await shop.order(hold, key=hold.id) for hold in (called_off, bought, returned)
    ]
    sale, refund = [await shop.pay(order, Standing.AUTHORIZED) for order in (sold, refunded)]
    await shop.cart.settling.settle(refund)
    stockroom, two_back = SqlStockroom(database), RefundWish((RefundLine(line=0, quantity=2),))
    doors: Sequence[Callable[[], Awaitable[object]]] = [
        lambda: SqlLedger(database).release(let_go.id, BUYER),
        lambda: SqlLedger(database).extend(late.id, BUYER),
        lambda: SqlLedger(database).sweep(100),
        lambda: SqlOrderBook(database).cancel(cancelled.id),
        lambda: shop.cart.settling.settle(sale),
        lambda: shop.cart.checkout.refund(
            SELLER, "r", refunded.id, wish=two_back, restock=True, reason=""
        ),
        lambda: stockroom.change(product.id, {product.id: 7}, reason=Reason.RESTOCK, key="a"),
        lambda: stockroom.change(product.id, {product.id: -1}, reason=Reason.CORRECTION, key="b"),
    ]
    await asyncio.gather(*(door() for _ in range(3) for door in doors))
    assert await shop.counters(product) == (20 - 4 - 3 + 7 - 1, 0, 4 + 3)
    assert await shop.drifts() == []
    assert await without_their_units(shop) == [refunded.id], "two of its five units"


async def test_medusa_16502_two_lines_were_compared_with_the_same_stock(shop: Shop) -> None:
    product = await shop.stock(3)
    line = HoldLine(sku=product.id, quantity=2)
    hold = shop.cart.holding.hold
    assert await hold(BUYER, "k", [line, line]) == SoldOut(product.id, free=3, held=0)
    apart = await asyncio.gather(*(hold(BUYER, key, [line]) for key in ("a", "b")))
    assert sum(isinstance(one, Granted) for one in apart) == 1
    assert await shop.counters(product) == (1, 2, 0)


async def test_django_shop_888_an_edit_wrote_back_the_stock_it_had_read(shop: Shop) -> None:
    """A form and a sheet that were opened before the sale are sent after it."""
    product = await shop.stock(10)
    sheet = await shop.cart.importing.export(SELLER, "camellia")
    paid([await buy(shop, [(product, 4)], BUYER)])
    await shop.cart.shopping.edit_product(SELLER, product.id, ProductChange(title="새 이름"))
    assert await shop.counters(product) == (6, 0, 4)
    restocked = sheet.replace(",10,10,0,0", ",12,10,0,0")
    for key, sent, free in (("same", sheet, 6), ("two-more", restocked, 8)):
        report = await shop.cart.importing.bring_in(
            SELLER, "camellia", key, sent.encode(), dry_run=False
        )
        assert (report.applied, report.faults) == (True, [])
        assert await shop.counters(product) == (free, 0, 4)
    all_gone = sheet.replace(",10,10,0,0", ",0,10,0,0")
    refused = await shop.cart.importing.bring_in(
        SELLER, "camellia", "gone", all_gone.encode(), dry_run=False
    )
    assert refused.faults == [
        Fault(
            line=2,
            field="free",
            rule=Rule.SOLD_MEANWHILE,
            facts={"free": 8},
            detail="only 8 are free by now",
        )
    ]
    assert await shop.drifts() == []


@pytest.mark.parametrize(
    ("module", "step"),
    [(ledger, "insert_holds"), (moving, "log"), (moving, "put_each"), (orders, "end_offers")],
)
async def test_shopper_591_stock_was_reserved_after_the_commit(
    shop: Shop,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    step: str,
) -> None:
    """Who dies after a step leaves all or nothing, and nobody must listen for units to move."""
    product, other = await shop.stock(1), make_shop(engine)
    monkeypatch.setattr(module, step, cut_after(getattr(module, step), engine))
    with pytest.raises(DBAPIError):
        await buy(shop, [(product, 1)], BUYER)
    monkeypatch.undo()
    await engine.dispose()  # a pool may lend a connection once more that was just lost
    held = 1 if module is orders else 0
    assert await shop.counters(product) == (1 - held, held, 0)
    assert await shop.cart.checkout.orders_of(BUYER) == []
    async with committing(other):
        paid([await buy(other, [(product, 1)], BUYER)])
    assert await shop.counters(product) == (0, 0, 1)
    assert shop.told == other.told == [], "no listener has run"
    assert await shop.drifts() == []
    assert await without_their_units(shop) == []


async def test_spree_13978_nothing_was_held_for_who_was_paying(shop: Shop) -> None:
    product = await shop.stock(1)
    order = await shop.order(await shop.hold(product))

    async def nobody_else_gets_it(held: int) -> None:
        asked = await shop.ask(product.id, buyer=STRANGER, key=f"k{order.state}{held}")
        assert asked == SoldOut(product.id, free=0, held=held)

    await nobody_else_gets_it(held=1)
    await shop.pay(order, Standing.AUTHORIZED, Trick.SILENT)
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PAYING
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await nobody_else_gets_it(held=1)
    await shop.cart.settling.rounds.play()
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PAID
    await nobody_else_gets_it(held=0)


async def test_compressor_1215_rows_were_consumed_for_units(shop: Shop) -> None:
    """Two are bought, beside a row of ten; and one of the two comes back."""
    product = await shop.stock(12)
    await shop.hold(product, key="ten", quantity=10)
    order = await shop.order(await shop.hold(product, key="two", quantity=2))
    await shop.cart.settling.settle(await shop.pay(order, Standing.AUTHORIZED))
    assert await shop.counters(product) == (0, 10, 2)
    one_back = RefundWish((RefundLine(line=0, quantity=1),))
    await shop.cart.checkout.refund(SELLER, "r", order.id, wish=one_back, restock=True, reason="")
    assert await shop.counters(product) == (1, 10, 1)
    assert await shop.drifts() == []


async def test_compressor_1198_a_way_went_past_the_reservation(shop: Shop) -> None:
    """Neither a correction nor a sheet takes what is held; its buyer pays and gets it."""
    product = await shop.stock(3)
    hold = await shop.hold(product, quantity=2)
    with pytest.raises(NotEnoughStock):
        await shop.restock(product, -2)
    sheet = f"sku,free\n{product.id},0\n"
    report = await shop.cart.importing.bring_in(
        SELLER, "camellia", "k", sheet.encode(), dry_run=False
    )
    assert report.applied
    assert await shop.counters(product) == (0, 2, 0)
    order = await shop.order(hold)
    await shop.cart.settling.settle(await shop.pay(order, Standing.AUTHORIZED))
    assert await shop.counters(product) == (0, 0, 2)
    assert await shop.drifts() == []
