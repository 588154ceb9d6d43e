"""How the books stand when all is quiet again, counted by their rows and compared with what people
were told and with what the provider has.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.database import Database
from cart.adapters.money_recount import recount_money, recount_points
from cart.adapters.movements import SqlRecounts
from tests.bench.audience import passed
from tests.standin.process import StandIn
from tests.whole.chaos_people import Diary

QUIET_WITHIN_S: Final = 120.0
LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What was told, and how the books stand in the end.

    `lost`: holds, orders and refunds that were acknowledged and are not there. `broken`: orders
    told paid that are neither paid nor given back. `oversold`: units. `drifts`: SKUs whose counters
    are not what movements and holds add up to. `unbacked`: orders whose sold units are not those
    bought and not returned. `owed_minor`: money at the provider that no order accounts for, or the
    other way. `money_drifts`: orders whose money does not add up. `points_drifts`: buyers whose
    purses are not what the journal says, or with points set aside for nothing. `coupon_drifts`:
    coupons not counted as often as living orders have them.
    """

    kills: Counter[str]
    refused: Counter[str]
    faults: list[str]
    holds: int
    orders: int
    paid: int
    refunds: int
    points_spent_minor: int
    coupons_used: int
    lost: int
    broken: int
    oversold: int
    drifts: int
    unbacked: int
    owed_minor: int
    money_drifts: int
    points_drifts: int
    coupon_drifts: int

    @property
    def wrong(self) -> dict[str, int]:
        """What is not as it should be; nothing, if all is well."""
        names = ("lost", "broken", "oversold", "drifts", "unbacked", "owed_minor")
        more = ("money_drifts", "points_drifts", "coupon_drifts")
        counted = {name: getattr(self, name) for name in (*names, *more)}
        counted["faults"] = len(self.faults)
        return {name: count for name, count in counted.items() if count}


UNSETTLED: Final = """
SELECT (SELECT count(*) FROM holds WHERE state IN ('held', 'ordered', 'paying'))
     + (SELECT count(*) FROM payments WHERE state IN ('created', 'claimed', 'unknown', 'voiding'))
     + (SELECT count(*) FROM refunds WHERE state IN ('requested', 'sent', 'unknown'))
"""


LATE: Final = """
UPDATE holds SET expires_at = now() - interval '1 minute'
WHERE state IN ('held', 'ordered') AND expires_at > now()
"""


async def quiet(connection: asyncpg.Connection, standin: StandIn) -> None:
    """Until no unit waits for anybody and no money is on its way.

    What ends by itself after a while, a hold or what a provider waits for, ends now.
    """
    async with asyncio.timeout(QUIET_WITHIN_S):
        while await connection.fetchval(UNSETTLED):
            await passed(LOOK_EVERY_S)
            await standin.lapse()
            await connection.execute(LATE)
            for table in ("payments", "refunds"):
                await connection.execute(
                    f"UPDATE {table} SET asked = 0, ask_at = now() WHERE ask_at > now()"
                )


OVERSOLD: Final = "SELECT coalesce(sum(greatest(0, sold + held - on_hand)), 0) FROM skus"
UNBACKED: Final = """
SELECT count(*) FROM orders o
LEFT JOIN (SELECT order_id, sum(quantity) AS units FROM holds WHERE state = 'sold'
           GROUP BY order_id) sold ON sold.order_id = o.id
LEFT JOIN (SELECT order_id, sum(quantity) AS units FROM order_lines
           GROUP BY order_id) bought ON bought.order_id = o.id
LEFT JOIN (SELECT r.order_id, sum(l.quantity) AS units FROM refunds r
           JOIN refund_lines l ON l.refund = r.id WHERE r.restocked
           GROUP BY r.order_id) back ON back.order_id = o.id
WHERE coalesce(sold.units, 0) <> CASE
    WHEN o.state = 'paid' OR EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id)
    THEN bought.units - coalesce(back.units, 0) ELSE 0 END
"""
KEPT: Final = """
SELECT coalesce(sum(amount_minor - refunded_minor), 0) FROM payments WHERE state = 'confirmed'
"""
SET_ASIDE: Final = "SELECT count(*) FROM point_wallets WHERE reserved_minor > 0"
COUPONS: Final = """
SELECT count(*) FROM coupons c WHERE used <> (
    SELECT count(*) FROM coupon_uses u JOIN orders o ON o.id = u.order_id
    WHERE u.coupon = c.id AND NOT u.given_back AND o.state = 'paid')
"""
SPENT: Final = "SELECT coalesce(sum(amount_minor), 0) FROM point_transfers WHERE reason = 'spend'"
USED: Final = "SELECT coalesce(sum(used), 0) FROM coupons"
GIVEN_BACK: Final = "SELECT DISTINCT order_id FROM refunds"


@dataclass(frozen=True, slots=True)
class Books:
    """What is left to be counted when all is quiet."""

    connection: asyncpg.Connection
    engine: AsyncEngine
    standin: StandIn
    diary: Diary
    kills: Counter[str]

    async def find(self) -> Findings:
        """Count it all."""
        diary, ask, fetch = self.diary, self.connection.fetchval, self.connection.fetch
        holds = {row["id"]: row["buyer"] for row in await fetch("SELECT id, buyer FROM holds")}
        rows = await fetch("SELECT id, buyer, state FROM orders")
        orders, states = ({row["id"]: row[of] for row in rows} for of in ("buyer", "state"))
        refunds = {row["id"] for row in await fetch("SELECT id FROM refunds")}
        returned = {row["order_id"] for row in await fetch(GIVEN_BACK)}
        lost = [set(diary.holds.items()) - set(holds.items())]
        lost += [set(diary.orders.items()) - set(orders.items())]
        whole = {order for order in returned if states.get(order) == "cancelled"}
        broken = {order for order in diary.paid - whole if states.get(order) != "paid"}
        return Findings(
            kills=self.kills,
            refused=diary.refused,
            faults=diary.faults,
            holds=len(diary.holds),
            orders=len(diary.orders),
            paid=len(diary.paid),
            refunds=len(diary.refunds),
            points_spent_minor=int(await ask(SPENT)),
            coupons_used=int(await ask(USED)),
            lost=sum(map(len, lost)) + len(diary.refunds - refunds),
            broken=len(broken),
            oversold=int(await ask(OVERSOLD)),
            drifts=len(await SqlRecounts(Database(self.engine)).whole()),
            unbacked=await ask(UNBACKED),
            owed_minor=abs(await self.standin.taken() - int(await ask(KEPT))),
            money_drifts=len(await recount_money(self.engine)),
            points_drifts=len(await recount_points(self.engine)) + await ask(SET_ASIDE),
            coupon_drifts=await ask(COUPONS),
        )
