"""A crowd told as one: sums, means and what everybody sees."""

import pytest

from live.relay.crowd import Sighting
from tests.relay.test_simulcast import Studio


def test_a_crowd_is_summed_up() -> None:
    studio = Studio()
    studio.run(3)
    viewers = [studio.viewer()[0] for _ in range(4)]
    studio.broadcast.wish(viewers[0], paused=True, max_height=None)
    for n, viewer in enumerate(viewers):
        viewer.loss, viewer.freezes, viewer.frozen_s = n / 10, n, n / 2
    viewers[1].path.rtt_s, viewers[2].path.rtt_s = 0.02, 0.04
    studio.run(2)
    told = studio.broadcast.statistics(viewers=2)
    audience = told.audience
    assert (audience.viewers, audience.paused, audience.freezes) == (4, 1, 6)
    assert audience.frozen_s == 3.0
    assert audience.loss == pytest.approx(0.15)
    assert audience.rtt_ms == pytest.approx(30)
    rids = {viewer.layer for viewer in told.viewers}
    assert sum(audience.layers.values()) == 3
    assert rids <= set(audience.layers) <= {"q", "h", "f"}
    assert audience.bitrate_bps >= sum(viewer.bitrate_bps for viewer in told.viewers) > 0
    assert [viewer.freezes for viewer in told.viewers] == [3, 2]
    seen = list(studio.broadcast.sightings())
    assert Sighting(None, True, 0.0, None) in seen
    assert len(seen) == 4


def test_nobody_is_a_crowd_too() -> None:
    studio = Studio()
    told = studio.broadcast.statistics(viewers=2)
    assert (told.audience.viewers, told.audience.loss, told.audience.rtt_ms) == (0, 0.0, None)
    assert list(studio.broadcast.sightings()) == []
