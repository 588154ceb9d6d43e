"""The whole ledger as one machine: buyers, sellers, a provider, time, and nodes that die between
any two steps. After each the books are true, and at the end everything comes to rest.

`KKOT_LEDGER_EXAMPLES` makes it longer, each time with other examples (`make ledger`).
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters import hold_rows, ledger
from cart.core.hold import Hold
from cart.core.stock import Granted, Repeated
from tests.cart import market_buyers, market_sellers
from tests.cart.deaths import Node
from tests.cart.market import Market, opened

Made = Sequence[tuple[str, str, Hold]]
Act = Callable[[Market, Node, random.Random], Awaitable[object]]

ACTS: Final[tuple[Act, ...]] = (*market_buyers.ACTS, *market_sellers.ACTS)

EXAMPLES: Final = int(os.environ.get("KKOT_LEDGER_EXAMPLES", "0"))
DEATHS: Final = 20
"""A hold is done within so many moments."""

SHORT_EXAMPLES: Final = 15
STEPS: Final = 30

MOMENTS: Final = st.one_of(st.just(0), st.integers(-2, -1), st.integers(1, 25), st.integers(1, 120))
"""When a node dies during a step, as `Node.doom` takes it."""


class LedgerMachine(RuleBasedStateMachine):
    """A market in which one thing after another happens."""

    def __init__(self, runner: asyncio.Runner, market: Market) -> None:
        super().__init__()
        self._runner = runner
        self._market = market
        runner.run(market.open())

    def play(self, act: Act, chance: random.Random, at: int, moments: int) -> None:
        """One act at a node that dies in its course, and again at the other one."""
        node = self._market.nodes[at]
        acting = partial(act, self._market, node, chance)
        self._runner.run(self._market.step([acting], node, moments))

    def teardown(self) -> None:
        """Everything comes to rest."""
        self._runner.run(self._market.come_to_rest())
        for kind in self._market.answered:
            event(kind)


def _rule_of(act: Act) -> Any:
    def step(machine: LedgerMachine, chance: random.Random, at: int, moments: int) -> None:
        machine.play(act, chance, at, moments)

    step.__name__ = act.__name__
    return rule(chance=st.randoms(), at=st.integers(0, 1), moments=MOMENTS)(step)


for each in ACTS:
    setattr(LedgerMachine, each.__name__, _rule_of(each))


def test_books_are_true_whoever_dies_whenever(migrated_url: str) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        opening = opened(migrated_url)
        market = runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                partial(LedgerMachine, runner, market),  # type: ignore[arg-type]
                settings=settings(
                    max_examples=EXAMPLES or SHORT_EXAMPLES,
                    stateful_step_count=STEPS,
                    derandomize=not EXAMPLES,
                    database=None,
                    deadline=None,
                    # An example takes seconds and its ids differ each time: too much to shrink.
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def test_control_a_node_that_dies_between_two_commits_is_found_out(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holds that are durable before their units are counted: some moment of death shows it."""
    insert = hold_rows.insert_holds

    async def insert_for_good(connection: AsyncConnection, made: Made) -> None:
        await insert(connection, made)
        await connection.exec_driver_sql("COMMIT")

    monkeypatch.setattr(ledger, "insert_holds", insert_for_good)
    async with opened(migrated_url) as market:

        async def hold_one() -> None:
            held = await market.tell(market.nodes[0], lambda shop: shop.ask(market.skus[0]))
            assert isinstance(held, Granted | Repeated)

        async def die_at_each_moment() -> None:
            for moments in range(1, DEATHS):
                await market.open()
                await market.step([hold_one], market.nodes[0], moments)

        with pytest.raises(AssertionError, match="Drift"):
            await die_at_each_moment()
