"""`python -m tests.bench [NAME…]`: all benchmarks when none is named."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final

import click
import uvloop

from tests.bench import (
    auction,
    audit,
    chaos,
    checkout,
    crowd,
    fanout,
    glass,
    growth,
    holds,
    join,
    loss,
    relay,
    restock,
    rush,
    storm,
    watch,
)

BENCHES: Final[dict[str, Callable[[int, float], Awaitable[None]]]] = {
    "relay": relay.run,
    "join": join.run,
    "watch": watch.run,
    "crowd": crowd.run,
    "glass": glass.run,
    "loss": loss.run,
    "holds": holds.run,
    "checkout": checkout.run,
    "auction": auction.run,
    "restock": restock.run,
    "growth": growth.run,
    "chaos": chaos.run,
}
ROOM: Final[dict[str, Callable[[fanout.Load], Awaitable[None]]]] = {
    "fanout": fanout.run,
    "storm": storm.run,
    "audit": audit.run,
    "rush": rush.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*BENCHES, *ROOM]))
@click.option("--viewers", default=100, type=click.IntRange(1, 2_000))
@click.option("--seconds", default=8.0, type=click.FloatRange(0.5, 600), help="Of the window.")
@click.option("--connections", default=1_000, type=click.IntRange(2, 18_000), help="Of a room.")
@click.option("--messages-per-s", default=100, type=click.IntRange(0, 5_000), help="Said in it.")
@click.option("--slow", default=0, type=click.IntRange(0, 100), help="Further ones do not read.")
@click.option("--shop-bytes", default=200, type=click.IntRange(1, 60_000), help="Of an event.")
@click.option("--deflate", is_flag=True, help="Its viewers take deflated frames.")
def main(
    names: tuple[str, ...],
    viewers: int,
    seconds: float,
    connections: int,
    messages_per_s: int,
    slow: int,
    shop_bytes: int,
    deflate: bool,
) -> None:
    """Measure the running server; each NAME prints its figure beside a floor."""
    load = fanout.Load(connections, messages_per_s, seconds, slow, shop_bytes, deflate)

    async def measure() -> None:
        everywhere = os.sched_getaffinity(0)
        for name in names or (*BENCHES, *ROOM):
            os.sched_setaffinity(0, everywhere)  # the last one may have kept to one core
            await (ROOM[name](load) if name in ROOM else BENCHES[name](viewers, seconds))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure())


if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
