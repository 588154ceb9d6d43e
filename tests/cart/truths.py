"""What is true of the shop's books after every commit, whoever does what meanwhile.

Each truth is one statement, which sees one moment: so it may be asked in the middle of anything.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.database import Database
from cart.adapters.money_recount import recount_money, recount_points
from cart.adapters.movements import SqlRecounts
from cart.core.event import Event

COUNTED: Final = "('held', 'ordered', 'paying', 'sold')"

LIES: Final[Mapping[str, str]] = {
    "somebody waits for what is free": (
        "SELECT w.id FROM waits w JOIN skus s ON s.id = w.sku"
        " WHERE w.state = 'waiting' AND s.free > 0"
    ),
    "a buyer has more than its limit": (
        "SELECT mine.product || ' ' || mine.buyer FROM"
        f" (SELECT product, buyer, quantity FROM holds WHERE state IN {COUNTED}"
        " AND buyer NOT LIKE 'auction %' UNION ALL"
        " SELECT product, leader, quantity FROM auctions WHERE state = 'open') AS mine"
        " JOIN products p ON p.id = mine.product"
        " GROUP BY mine.product, mine.buyer, p.limit_per_buyer"
        " HAVING sum(mine.quantity) > p.limit_per_buyer"
    ),
    "a buyer has more than a deal's limit": (
        "SELECT d.id || ' ' || h.buyer FROM holds h JOIN deals d ON d.id = h.deal"
        f" WHERE h.state IN {COUNTED} GROUP BY d.id, h.buyer"
        " HAVING sum(h.quantity) > d.limit_per_buyer"
    ),
    "a deal has counted its units wrong": (
        f"SELECT d.id FROM deals d LEFT JOIN holds h ON h.deal = d.id AND h.state IN {COUNTED}"
        " GROUP BY d.id HAVING d.taken <> coalesce(sum(h.quantity), 0)"
    ),
    "an offer is not what its hold is": (
        "SELECT w.id FROM waits w LEFT JOIN holds h ON h.id = w.id"
        " WHERE (w.state = 'offered') <> coalesce(h.state = 'held', false)"
    ),
    "a hold is not where its order is": (
        "SELECT h.id FROM orders o JOIN holds h ON h.order_id = o.id"
        " WHERE NOT (o.state = 'paid' AND h.state = 'released') AND h.state <> CASE o.state"
        " WHEN 'placed' THEN 'ordered' WHEN 'paying' THEN 'paying' WHEN 'paid' THEN 'sold'"
        " WHEN 'cancelled' THEN 'released' ELSE 'expired' END"
    ),
    "an order's holds are not its lines": (
        "SELECT l.order_id FROM (SELECT order_id, sku, sum(quantity) AS units FROM order_lines"
        " GROUP BY order_id, sku) AS l FULL JOIN (SELECT order_id, sku, sum(quantity) AS units"
        " FROM holds WHERE order_id IS NOT NULL GROUP BY order_id, sku) AS h USING (order_id, sku)"
        " WHERE l.units IS DISTINCT FROM h.units"
    ),
    "a lot is not where its auction is": (
        "SELECT a.id FROM auctions a JOIN holds h ON h.id = a.hold WHERE NOT CASE a.state"
        " WHEN 'open' THEN h.state = 'held' AND h.buyer = 'auction ' || a.id"
        " WHEN 'unsold' THEN h.state IN ('released', 'expired')"
        " WHEN 'cancelled' THEN h.state IN ('released', 'expired')"
        " ELSE h.state <> 'expired' AND h.buyer = a.leader END"
    ),
    "a coupon has counted its uses wrong": (
        "SELECT c.id FROM coupons c LEFT JOIN coupon_uses u ON u.coupon = c.id AND NOT u.given_back"
        " GROUP BY c.id HAVING c.used <> count(u.order_id)"
    ),
    "a buyer has used a coupon too often": (
        "SELECT c.id || ' ' || u.buyer FROM coupon_uses u JOIN coupons c ON c.id = u.coupon"
        " WHERE NOT u.given_back GROUP BY c.id, u.buyer HAVING count(*) > c.uses_per_buyer"
    ),
    "an order of which nothing is left keeps its coupon, or another has lost it": (
        "SELECT o.id FROM coupon_uses u JOIN orders o ON o.id = u.order_id"
        " WHERE u.given_back <> (o.state IN ('cancelled', 'expired') OR NOT EXISTS (SELECT FROM"
        " order_lines l WHERE l.order_id = o.id"
        " AND l.quantity > (SELECT coalesce(sum(g.quantity), 0) FROM refunds r"
        " JOIN refund_lines g ON g.refund = r.id"
        " WHERE r.order_id = o.id AND g.position = l.position)))"
    ),
    "the points set aside are not those of open orders": (
        "SELECT coalesce(w.buyer, o.buyer) FROM (SELECT buyer, sum(points_minor) AS points FROM"
        " orders WHERE state IN ('placed', 'paying') GROUP BY buyer) AS o FULL JOIN point_wallets w"
        " ON w.buyer = o.buyer WHERE coalesce(w.reserved_minor, 0) <> coalesce(o.points, 0)"
    ),
    "units wait for money without a claim, or a claim without units": (
        "SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id"
        " AND p.claimed_at IS NOT NULL GROUP BY o.id, o.state"
        " HAVING (o.state = 'paying') <> (count(p.id) = 1)"
    ),
}

_LIES: Final = text(
    " UNION ALL ".join(
        "SELECT '{}' AS lie, CAST(found AS text) AS of FROM ({}) AS found".format(
            lie.replace("'", "''"), sql
        )
        for lie, sql in LIES.items()
    )
)

_RESTLESS: Final = text(
    "SELECT 'hold ' || id FROM holds WHERE state IN ('held', 'ordered', 'paying')"
    " UNION ALL SELECT 'order ' || id FROM orders WHERE state IN ('placed', 'paying')"
    " UNION ALL SELECT 'payment ' || id FROM payments"
    " WHERE state IN ('created', 'claimed', 'unknown', 'voiding')"
    " UNION ALL SELECT 'refund ' || id FROM refunds"
    " WHERE state IN ('requested', 'sent', 'unknown')"
    " UNION ALL SELECT 'auction ' || id FROM auctions WHERE state = 'open'"
    " UNION ALL SELECT 'deal ' || id FROM deals WHERE state IN ('announced', 'running')"
    " UNION ALL SELECT 'points ' || order_id FROM point_earnings WHERE NOT ripe"
    " UNION ALL SELECT 'event ' || id FROM cart_outbox"
)

_MONEY: Final = text(
    "SELECT (SELECT coalesce(sum(amount_minor), 0) FROM payments WHERE state = 'confirmed')"
    " - (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE state = 'done') AS ours,"
    " (SELECT coalesce(sum(amount_minor), 0) FROM sandbox_payments WHERE standing = 'confirmed')"
    " - (SELECT coalesce(sum(r.amount_minor), 0) FROM sandbox_refunds r JOIN sandbox_payments p"
    " ON p.id = r.payment WHERE r.going = 'done' AND p.standing = 'confirmed') AS theirs"
)

_NOW: Final = text(
    "SELECT 'product' AS kind, p.id, jsonb_build_array(p.version, jsonb_object_agg(s.id,"
    " jsonb_build_array(s.free, s.held))) AS now FROM products p JOIN skus s ON s.product = p.id"
    " GROUP BY p.id, p.version"
    " UNION ALL SELECT 'deal', id, jsonb_build_array(version, state, taken) FROM deals"
    " UNION ALL SELECT 'auction', id, jsonb_build_array(version, state, price_minor, bids, leader)"
    " FROM auctions"
)

_WAITING: Final = text(
    "SELECT sku, count(*) AS length FROM waits WHERE state = 'waiting' GROUP BY sku"
)

_PENDING: Final = text("SELECT event FROM cart_outbox ORDER BY id")


async def lies_of(engine: AsyncEngine) -> list[str]:
    """What is not true now; nothing, if all is well."""
    database = Database(engine)
    async with engine.connect() as connection:
        found = [f"{row.lie}: {row.of}" for row in await connection.execute(_LIES)]
    found += map(str, await SqlRecounts(database).whole())
    found += map(str, await recount_money(engine))
    found += map(str, await recount_points(engine))
    return found


async def restless_of(engine: AsyncEngine) -> list[str]:
    """What has not come to its end; the money too, if it is not where the books say."""
    async with engine.connect() as connection:
        found = [str(one) for one in (await connection.execute(_RESTLESS)).scalars()]
        money = (await connection.execute(_MONEY)).one()
    return found if money.ours == money.theirs else [*found, f"money {money}"]


class Mirror:
    """A viewer who keeps the newest version of everything, and of what has none the last word."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[Any]] = {}
        self._waiting: dict[str, int] = {}

    def hear(self, events: Iterable[Event]) -> None:
        """Be told, perhaps again."""
        for told in events:
            if told["type"] == "waiting":
                self._waiting[told["sku"]] = told["waiting"]
            heard = _state(told)
            if heard is None:
                continue
            thing, state = heard
            if thing not in self._known or self._known[thing][0] <= state[0]:
                self._known[thing] = state

    async def lacks(self, engine: AsyncEngine) -> list[str]:
        """What is otherwise than it was told, or is about to be told; nothing is in flight."""
        async with engine.connect() as connection:
            soon = [dict(told) for told in (await connection.execute(_PENDING)).scalars()]
            rows = (await connection.execute(_NOW)).all()
            lines = {row.sku: row.length for row in await connection.execute(_WAITING)}
        seer = Mirror()
        seer._known, seer._waiting = dict(self._known), dict(self._waiting)
        seer.hear(soon)
        seen = seer._known
        wrong = [
            f"{row.kind} {row.id} is {row.now}, told {seen.get((row.kind, row.id))}"
            for row in rows
            if seen.get((row.kind, row.id)) != row.now
        ]
        told = {sku: length for sku, length in seer._waiting.items() if length}
        return wrong if told == lines else [*wrong, f"waiting {lines}, told {told}"]


def _state(told: Event) -> tuple[tuple[str, str], list[Any]] | None:
    """What an event says a thing is, its version first."""
    match told["type"]:
        case "stock":
            piles = {sku["id"]: [sku["free"], sku["held"]] for sku in told["skus"]}
            return ("product", told["product"]), [told["version"], piles]
        case "product":
            product = told["product"]
            piles = {sku["id"]: [sku["free"], sku["held"]] for sku in product["skus"]}
            return ("product", product["id"]), [product["version"], piles]
        case "deal":
            deal = told["deal"]
            return ("deal", deal["id"]), [deal["version"], deal["state"], deal["taken"]]
        case "auction":
            lot = told["auction"]
            facts = [lot[name] for name in ("version", "state", "price_minor", "bids", "leader")]
            return ("auction", lot["id"]), facts
    return None
