"""Shows over bad networks: what viewers see, and that the same seed always shows the same."""

from dataclasses import replace

import pytest

from tests.sim.network import Path
from tests.sim.publisher import Habits
from tests.sim.show import CLEAN, Seat, SimShow, simulated
from tests.sim.viewer import AUDIO_TYPE, nacks

SEEDS = (1, 2, 3)
LOSSES = (0.02, 0.05, 0.1)


def share_shown(show: SimShow, seat: Seat) -> float:
    """Of the frames published since it joined, how many a viewer showed."""
    published = (show.loop.time() - seat.viewer.joined_at) * 30
    return len(seat.viewer.shown) / published


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_clean_show_reaches_everybody_whole(seed: int, codec: str) -> None:
    with simulated(seed) as show:
        show.publish(Habits(codec="VP8" if codec == "VP8" else "H264"))
        show.run(1.0)
        seats = [show.watch() for _ in range(3)]
        show.run(5.0)
        for seat in seats:
            assert share_shown(show, seat) > 0.95
            assert seat.viewer.longest_pause_s() < 0.1
            assert seat.viewer.shown[0][0] - seat.viewer.joined_at < 0.2
            assert seat.viewer.sounds > 230
            assert seat.link.ledger.holes() == seat.link.ledger.holes(AUDIO_TYPE) == 0
        assert show.publisher.repairs == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_on_every_way_are_repaired(seed: int, loss: float) -> None:
    bad = Path(loss=loss)
    with simulated(seed) as show:
        show.publish(Habits(), bad, bad)
        show.run(1.0)
        seat = show.watch(bad, bad)
        show.run(8.0)
        assert show.publisher.repairs > 0
        assert seat.down.lost > 0
        assert share_shown(show, seat) > 0.9
        assert seat.viewer.longest_pause_s() < (0.5 if loss <= 0.05 else 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_repairs_the_same_network_freezes_the_show(seed: int) -> None:
    bad = Path(loss=0.1)
    with simulated(seed) as show:
        show.publish(Habits(), bad, bad)
        show.run(1.0)
        seat = show.watch(bad, bad, refuses=nacks)
        show.run(8.0)
        assert share_shown(show, seat) < 0.6
        assert seat.viewer.frozen_s() > 1.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("where", ["publisher", "viewer"])
def test_show_goes_on_within_two_seconds_of_a_burst(seed: int, where: str) -> None:
    with simulated(seed) as show:
        begin = show.loop.time() + 3.0
        burst = Path(outages=[(begin, begin + 0.5)])
        first, second = (burst, CLEAN) if where == "publisher" else (CLEAN, burst)
        show.publish(Habits(), first, first)
        show.run(1.0)
        seat = show.watch(second, second)
        show.run(7.0)
        assert seat.viewer.longest_pause_s() < 2.5
        after = [at for at, _ in seat.viewer.shown if at > begin + 2.5]
        assert len(after) > 0.95 * 30 * 2.5


@pytest.mark.parametrize("seed", SEEDS)
def test_gilbert_bursts_are_survived(seed: int) -> None:
    bad = Path(bursts=(0.01, 0.3), jitter_s=0.01)
    with simulated(seed) as show:
        show.publish(Habits(), bad, bad)
        show.run(1.0)
        seat = show.watch(bad, bad)
        show.run(8.0)
        assert share_shown(show, seat) > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_reordered_and_repeated_packets_come_out_once_and_in_order(seed: int) -> None:
    bad = Path(reordered=0.1, duplicated=0.1, jitter_s=0.005)
    with simulated(seed) as show:
        show.publish(Habits(), bad, bad)
        show.run(1.0)
        seat = show.watch(bad, bad)
        show.run(6.0)
        assert share_shown(show, seat) > 0.95
        assert seat.viewer.longest_pause_s() < 0.2
        show.publisher.stop()
        show.run(0.5)
        assert seat.link.ledger.holes() == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_publisher_who_comes_back_anew_is_followed(seed: int) -> None:
    with simulated(seed) as show:
        show.publish(Habits())
        show.run(1.0)
        seat = show.watch()
        show.run(2.0)
        show.unpublish()
        show.run(2.0)
        show.publish(Habits())
        show.run(3.0)
        assert not seat.link.closed
        assert {piece.epoch for _, piece in seat.viewer.shown} == {1, 2}
        assert 1.8 < seat.viewer.longest_pause_s() < 2.5
        assert seat.link.ledger.holes() == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_newer_publisher_takes_over_from_one_still_there(seed: int) -> None:
    with simulated(seed) as show:
        older = show.publish(Habits())
        show.run(1.0)
        seat = show.watch()
        show.run(2.0)
        show.publish(Habits())
        frames = older.frames
        show.run(3.0)
        assert older.frames - frames <= 1
        assert seat.viewer.shown[-1][1].epoch == 2
        assert seat.viewer.longest_pause_s() < 0.3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_numbers_that_wrap_around_disturb_nobody(seed: int, loss: float) -> None:
    bad = Path(loss=loss, reordered=loss)
    with simulated(seed) as show:
        show.publish(Habits(sequence=65_536 - 250, timestamp=(1 << 32) - 3 * 90_000), bad, bad)
        show.run(1.0)
        seat = show.watch(bad, bad)
        show.run(6.0)
        assert share_shown(show, seat) > 0.9
        assert seat.viewer.longest_pause_s() < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_crowd_costs_a_publisher_at_most_three_key_frames(seed: int) -> None:
    with simulated(seed) as show:
        publisher = show.publish(Habits(bitrate=200_000, key_every_s=None))
        show.run(1.0)
        began = show.loop.time()
        for _ in range(50):
            show.watch()
            show.run(0.1)
        show.run(0.5)
        assert sum(at >= began for at in publisher.requests) <= 3
        for seat in show.seats:
            assert seat.viewer.shown[0][0] - seat.viewer.joined_at < 0.5
            assert seat.viewer.longest_pause_s() < 0.3


def test_relay_holds_no_more_however_long_a_show_lasts() -> None:
    bad = Path(loss=0.05, reordered=0.05)
    with simulated(7) as show:
        show.publish(Habits(bitrate=2_000_000), bad, bad)
        show.run(1.0)
        show.watch(bad, bad)
        show.run(45.0)
        before = show.size()
        show.run(15.0)
        assert show.size() < 1.1 * before


def told(seed: int) -> list[tuple[float, int]]:
    """When a viewer saw which frame."""
    bad = Path(loss=0.05, jitter_s=0.01, reordered=0.05)
    with simulated(seed) as show:
        show.publish(Habits(), bad, bad)
        show.run(0.5)
        seat = show.watch(bad, bad)
        show.run(3.0)
        return [(at, piece.frame) for at, piece in seat.viewer.shown]


def test_a_seed_tells_the_same_story_twice() -> None:
    assert told(1) == told(1) != told(2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("twcc", [True, False])
def test_squeezed_publisher_adapts_to_what_gets_through(seed: int, twcc: bool) -> None:
    narrow = Path(bandwidth_bps=500_000)
    with simulated(seed) as show:
        publisher = show.publish(Habits(bitrate=1_500_000, twcc=twcc), narrow)
        show.run(1.0)
        seat = show.watch()
        show.run(8.0)
        settled = show.loop.time()
        show.run(6.0)
        assert publisher.rate < 700_000
        shown = [at for at, _ in seat.viewer.shown if at >= settled]
        assert len(shown) > 0.5 * 30 * 6


LAYERED = Habits(bitrate=2_500_000, simulcast=True, key_every_s=None)
"""Layers of 250, 625 and 1,625 kbit/s, with key frames only when asked."""


def seen(seat: Seat, begin: float, end: float = float("inf")) -> list[int]:
    """The layer of each frame shown in this time."""
    return [piece.layer for at, piece in seat.viewer.shown if begin <= at < end]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_squeezed_viewer_falls_to_a_layer_that_fits_and_climbs_back(seed: int, codec: str) -> None:
    wide = Path(jitter_s=0.005)
    with simulated(seed) as show:
        habits = replace(LAYERED, codec="VP8" if codec == "VP8" else "H264")
        show.publish(habits, wide)
        show.run(2.0)
        seat, other = show.watch(wide), show.watch()
        show.run(5.0)
        began = show.loop.time()
        assert set(seen(seat, began - 1)) == {2}
        seat.down.path = replace(wide, bandwidth_bps=400_000)
        show.run(10.0)
        relieved = show.loop.time()
        assert set(seen(seat, began + 3, relieved)) == {0}
        assert len(seen(seat, began, relieved)) >= 0.5 * 30 * 10
        seat.down.path = wide
        show.run(12.0)
        assert set(seen(seat, relieved + 10)) == {2}
        assert len(seen(seat, relieved)) > 0.9 * 30 * 12
        assert seat.link.ledger.holes() == 0
        assert set(seen(other, began)) == {2}
        assert other.viewer.longest_pause_s() < 0.2


@pytest.mark.parametrize("seed", range(20))
def test_viewer_whose_estimate_never_rises_again_climbs_back_each_time(seed: int) -> None:
    wide = Path(jitter_s=0.01)
    with simulated(seed) as show:
        show.publish(LAYERED)
        show.run(2.0)
        seat = show.watch(wide)
        show.run(4.0 + seed / 20)
        seat.viewer.growth = 1.0
        for squeezed_s in (8.0, 5.0 + seed / 7):
            began = show.loop.time()
            assert set(seen(seat, began - 0.5)) == {2}
            seat.down.path = replace(wide, bandwidth_bps=400_000)
            show.run(squeezed_s)
            relieved = show.loop.time()
            assert set(seen(seat, began + 3, relieved)) == {0}
            assert len(seen(seat, began, relieved)) >= 0.5 * 30 * squeezed_s
            seat.down.path = wide
            show.run(10.5)
            assert set(seen(seat, relieved + 10)) == {2}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("twcc", [True, False])
def test_squeezed_publisher_of_layers_is_seen_in_those_that_get_through(
    seed: int, twcc: bool
) -> None:
    with simulated(seed) as show:
        publisher = show.publish(replace(LAYERED, twcc=twcc))
        show.run(2.0)
        seat = show.watch()
        show.run(10.0)
        assert set(seen(seat, show.loop.time() - 1)) == {2}
        show.ways[0].path = Path(bandwidth_bps=500_000)
        show.run(8.0)
        settled = show.loop.time()
        show.run(6.0)
        assert publisher.rate < 900_000
        assert set(seen(seat, settled)) <= {0, 1}
        assert len(seen(seat, settled)) > 0.9 * 30 * 6
        asked = len(publisher.requests)
        show.ways[0].path = CLEAN
        show.run(12.0)
        assert 1 in seen(seat, settled + 6)
        assert len(publisher.requests) < asked + 6


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.02, 0.05])
def test_layers_are_repaired_on_a_lossy_way(seed: int, loss: float) -> None:
    bad = Path(loss=loss, jitter_s=0.005, reordered=0.02)
    with simulated(seed) as show:
        publisher = show.publish(LAYERED, bad, bad)
        show.run(2.0)
        seat = show.watch()
        show.run(8.0)
        assert publisher.repairs > 0
        assert share_shown(show, seat) > 0.9
        assert seat.viewer.longest_pause_s() < 0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_viewers_go_on_from_layers_to_one_picture_and_back(seed: int, codec: str) -> None:
    layered = replace(LAYERED, codec="VP8" if codec == "VP8" else "H264")
    plain = replace(layered, simulcast=False, bitrate=1_000_000)
    with simulated(seed) as show:
        show.publish(layered)
        show.run(2.0)
        seat = show.watch()
        for habits, layer in ((plain, 0), (layered, 2), (plain, 0)):
            show.run(4.0)
            show.publish(habits)
            show.run(8.0)
            now = show.loop.time()
            assert set(seen(seat, now - 1)) == {layer}
            assert seat.viewer.shown[-1][1].epoch == show.publisher.epoch
        assert seat.viewer.longest_pause_s() < 0.5
        assert not seat.link.closed
        assert seat.link.ledger.holes() == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_crowd_that_climbs_one_after_the_other_shares_its_key_frames(seed: int) -> None:
    with simulated(seed) as show:
        publisher = show.publish(LAYERED)
        show.run(3.0)
        began = show.loop.time()
        for _ in range(40):
            show.watch()
            show.run(0.125)
        show.run(5.5)
        assert sum(at >= began for at in publisher.requests) <= 3
        for seat in show.seats:
            assert seat.viewer.shown[0][0] - seat.viewer.joined_at < 0.5
            assert seat.viewer.longest_pause_s() < 0.2
            assert seat.viewer.shown[-1][1].layer == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_publishers_way_loses_costs_nobody_a_layer(seed: int) -> None:
    bad = Path(loss=0.04, jitter_s=0.005)
    with simulated(seed) as show:
        show.publish(LAYERED)
        show.run(2.0)
        seat = show.watch()
        show.run(6.0)
        began = show.loop.time()
        for way in show.ways:
            way.path = bad
        show.run(15.0)
        assert set(seen(seat, began)) == {2}
