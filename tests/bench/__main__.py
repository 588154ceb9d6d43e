"""`python -m tests.bench [NAME…]`: all benchmarks when none is named."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final

import click
import uvloop

from tests.bench import crowd, glass, join, loss, relay, watch

BENCHES: Final[dict[str, Callable[[int, float], Awaitable[None]]]] = {
    "relay": relay.run,
    "join": join.run,
    "watch": watch.run,
    "crowd": crowd.run,
    "glass": glass.run,
    "loss": loss.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--viewers", default=100, type=click.IntRange(1, 2_000))
@click.option("--seconds", default=8.0, type=click.FloatRange(0.5, 600), help="Of the window.")
def main(names: tuple[str, ...], viewers: int, seconds: float) -> None:
    """Measure the running server; each NAME prints its figure beside a floor."""

    async def measure() -> None:
        everywhere = os.sched_getaffinity(0)
        for name in names or BENCHES:
            os.sched_setaffinity(0, everywhere)  # the last one may have kept to one core
            await BENCHES[name](viewers, seconds)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure())


if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
