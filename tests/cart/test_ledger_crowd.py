"""The whole ledger under a crowd: everything at once on two nodes, of which one dies now and then.

The same acts and truths as in `test_ledger_machine.py`; here the database decides who comes first.
"""

import asyncio
import random
from functools import partial
from typing import Final

import pytest
from sqlalchemy import text

from cart.adapters import sku_rows
from tests.cart import market_buyers, market_sellers
from tests.cart.lock_order import ORDER, LockOrder
from tests.cart.market import opened
from tests.cart.truths import lies_of

ACTS: Final = tuple(
    act
    for act in (*market_buyers.ACTS, *market_sellers.ACTS)
    if act is not market_sellers.time_passes
)
"""Time passes between crowds: it moves all rows at once, in no order that anybody else keeps."""
CROWDS: Final = 20
AT_ONCE: Final = 12
MOMENTS: Final = 400
COMMITS: Final = 20
"""A node that dies does so within so many of its moments, or right after one of so many commits."""

TRIES: Final = 40
"""Without the lock the first or second crowd is enough; so many are given up."""


@pytest.mark.parametrize("seed", range(2))
async def test_books_are_true_while_many_do_everything_at_once(
    migrated_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    async with opened(migrated_url) as market:
        locks = [LockOrder(node.engine) for node in market.nodes]
        for _ in range(CROWDS):
            acts = [
                partial(
                    chance.choice(ACTS),
                    market,
                    chance.choice(market.nodes),
                    random.Random(chance.random()),
                )
                for _ in range(AT_ONCE)
            ]
            moments = chance.choice([0, -chance.randint(1, COMMITS), chance.randint(1, MOMENTS)])
            await market.step(acts, chance.choice(market.nodes), moments)
            await market_sellers.time_passes(market, market.nodes[0], chance)
        await market.come_to_rest()
        assert market.holds
        assert market.orders
        assert market.payments
        assert [fault for one in locks for fault in one.faults] == []
        assert set(ORDER[:4]) <= {table for one in locks for table in one.seen}


async def test_control_without_the_product_s_lock_a_crowd_makes_the_counters_drift(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lock in ("LOCK", "LOCK_ASKED"):
        unlocked = str(getattr(sku_rows, lock)).partition(" FOR NO KEY UPDATE")[0]
        monkeypatch.setattr(sku_rows, lock, text(unlocked))
    chance = random.Random(0)
    async with opened(migrated_url) as market:
        for _ in range(TRIES):
            crowd = (
                act(market, node, random.Random(chance.random()))
                for act in (market_buyers.hold, market_buyers.release, market_sellers.restock)
                for node in (*market.nodes, *market.nodes)
            )
            await asyncio.gather(*crowd, return_exceptions=True)
            found = await lies_of(market.observer)
            if found:
                break
        assert any("Drift" in lie for lie in found), found
