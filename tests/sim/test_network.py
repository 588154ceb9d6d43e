"""The simulated network itself: it loses, delays, repeats and limits as told."""

import itertools
from random import Random

import pytest

from tests.sim.clock import BEGIN_S, VirtualLoop
from tests.sim.network import Path, Wire


def carried(path: Path, count: int, seed: int = 1, every: float = 0.01) -> list[tuple[float, int]]:
    """When which of `count` datagrams of 1,000 bytes came out."""
    loop = VirtualLoop()
    try:
        came: list[tuple[float, int]] = []
        wire = Wire(loop, path, Random(seed))
        wire.deliver = lambda d: came.append((loop.time() - BEGIN_S, int.from_bytes(d, "big")))
        for number in range(count):
            loop.call_later(number * every, wire.send, number.to_bytes(1_000, "big"))
        loop.run_for(count * every + 5)
        return came
    finally:
        loop.close()


def test_clean_wire_only_delays() -> None:
    came = carried(Path(delay_s=0.05), 100)
    assert [number for _, number in came] == list(range(100))
    assert all(at == pytest.approx(number * 0.01 + 0.05) for at, number in came)


def test_loss_is_as_told_and_from_the_seed() -> None:
    came = carried(Path(loss=0.1), 2_000)
    assert 0.07 < 1 - len(came) / 2_000 < 0.13
    assert came == carried(Path(loss=0.1), 2_000) != carried(Path(loss=0.1), 2_000, seed=2)


def test_gilbert_losses_come_in_bursts() -> None:
    numbers = [number for _, number in carried(Path(bursts=(0.02, 0.25)), 5_000)]
    gaps = [b - a - 1 for a, b in itertools.pairwise(numbers) if b - a > 1]
    assert 3 < sum(gaps) / len(gaps) < 5


def test_outage_loses_everything_meanwhile() -> None:
    numbers = [n for _, n in carried(Path(outages=[(BEGIN_S + 0.195, BEGIN_S + 0.395)]), 100)]
    assert len(numbers) == 80
    assert not {*range(21, 39)} & {*numbers}


def test_repeats_and_overtaking_are_as_told() -> None:
    numbers = [n for _, n in carried(Path(duplicated=0.5, reordered=0.2, reorder_s=0.1), 500)]
    assert 650 < len(numbers) < 850
    assert {*numbers} == {*range(500)}
    assert numbers != sorted(numbers)


def test_bandwidth_is_kept_and_the_queue_is_bounded() -> None:
    came = carried(Path(bandwidth_bps=400_000, queue_s=0.3, delay_s=0.0), 500)
    assert len(came) == pytest.approx(265, abs=5)
    assert all(at - number * 0.01 <= 0.33 for at, number in came)
