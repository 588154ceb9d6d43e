"""What happened on a node, to those who left too."""

from live.relay.core import rtcp
from live.relay.tally import SWEEP_LEAST, Tally
from live.relay.viewer import Viewer
from tests.relay.media import SUBSCRIPTION, FakeLink, sequence_of, ssrc_of
from tests.relay.test_broadcast import SHOW, Stage, frames


def test_totals_never_fall() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    viewer, link = stage.viewer()
    stage.send(sink, *frames(1, 20))
    lost = link.packets[4]
    viewer.rtcp(rtcp.nack(9, ssrc_of(lost), [sequence_of(lost)]), stage.now)
    assert stage.relay.report(SHOW, "v", freezes=2, frozen_s=0.5)
    before = stage.relay.totals()
    assert (before.packets_out, before.retransmissions) == (20, 1)
    assert (before.freezes, before.frozen_s) == (2, 0.5)
    viewer.closed(stage.now)
    assert stage.relay.totals() == before
    _, _ = stage.viewer()
    stage.send(sink, *frames(21, 10))
    after = stage.relay.totals()
    assert (after.packets_out - before.packets_out, after.freezes) == (40 - 10, 2)
    sink.closed(stage.now)
    stage.relay.end(SHOW)
    stage.pass_time(1)
    assert stage.relay.stats()["shows"] == 0
    assert stage.relay.totals() == after


def test_what_publishers_lost_is_counted_to_their_end() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    packets = frames(1, 20)
    stage.send(sink, *packets[:10], *packets[12:])
    stage.pass_time(1.1)
    told = stage.relay.totals()
    assert told.lost == 2
    assert told.nacks >= 2
    sink.closed(stage.now)
    assert stage.relay.totals() == told


def test_who_left_is_not_held_on_to() -> None:
    tally = Tally()
    for n in range(20 * SWEEP_LEAST):
        viewer = Viewer(
            *(str(n), SUBSCRIPTION, [], []),
            *(lambda _viewer, _now: None, lambda _viewer: None, lambda _viewer: None),
        )
        tally.follow(viewer)
        viewer.connected(FakeLink(), 0.0)
        viewer.packets = 3
        viewer.closed(1.0)
    assert len(tally) <= SWEEP_LEAST
    assert tally.totals().packets_out == 3 * 20 * SWEEP_LEAST
    assert len(tally) == 0
