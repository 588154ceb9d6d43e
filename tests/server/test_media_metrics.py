"""The media in the operator's graphs: counters that only rise, labels that peers cannot choose."""

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import generate_latest

from live.relay.viewer import Viewer
from live.server.media_metrics import LINES, MediaCollector, media_metrics
from signaling.adapters.udp import Counters
from signaling.ports import Publication
from tests.relay.media import SUBSCRIPTION, FakeLink
from tests.relay.test_broadcast import SHOW, Stage, frames


def told(collector: MediaCollector) -> dict[str, float]:
    """What a scrape finds, by name and labels."""
    registry = CollectorRegistry()
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    rows = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in rows}


def test_counters_go_on_over_shows_that_end() -> None:
    stage = Stage()
    udp = Counters(received=5, received_octets=500, sent=7, sent_octets=900, dropped=1)
    tcp = Counters(sent=3, sent_octets=300, dropped=48)
    collector = MediaCollector(stage.relay, {"udp": udp, "tcp": tcp})
    sink, _ = stage.publisher()
    viewer, _ = stage.viewer()
    stage.send(sink, *frames(1, 20))
    stage.relay.report(SHOW, "v", freezes=3, frozen_s=1.5)
    during = told(collector)
    assert during["kkot_media_shows"] == during["kkot_media_publishers"] == 1
    assert during['kkot_media_packets_total{way="in"}'] == 20
    assert during['kkot_media_packets_total{way="out"}'] == 20
    assert during["kkot_media_freezes_total"] == 3
    assert during["kkot_media_frozen_seconds_total"] == 1.5
    assert during['kkot_media_datagrams_total{transport="udp",way="dropped"}'] == 1
    assert during['kkot_media_datagrams_total{transport="tcp",way="dropped"}'] == 48
    assert during['kkot_media_octets_total{transport="udp",way="out"}'] == 900
    viewer.closed(stage.now)
    sink.closed(stage.now)
    stage.relay.end(SHOW)
    stage.pass_time(1)
    after = told(collector)
    assert after["kkot_media_shows"] == 0
    counters = [name for name in during if "_total" in name]
    assert {name: after[name] for name in counters} == {name: during[name] for name in counters}


def test_viewers_are_counted_by_what_they_see_and_how_it_reaches_them() -> None:
    stage = Stage()
    stage.publisher()
    collector = MediaCollector(stage.relay, {})
    for n in range(20):
        viewer = stage.relay.subscribe(SHOW, f"viewer {n}", SUBSCRIPTION)
        assert isinstance(viewer, Viewer)
        viewer.connected(FakeLink(), stage.now)
        viewer.loss, viewer.path.rtt_s = n / 100, 0.05
    stage.relay.wish(SHOW, "viewer 3", paused=True, max_height=None)
    found = told(collector)
    assert found['kkot_media_viewers{lines="paused"}'] == 1
    assert found['kkot_media_viewers{lines="unknown"}'] == 19
    assert found['kkot_media_viewer_loss_ratio{quantile="0.5"}'] == 0.09
    assert found['kkot_media_viewer_loss_ratio{quantile="0.95"}'] == 0.18
    assert found['kkot_media_viewer_loss_ratio{quantile="0.99"}'] == 0.19
    assert found['kkot_media_viewer_rtt_seconds{quantile="0.5"}'] == 0.05


def test_no_name_of_a_show_or_a_layer_is_a_label() -> None:
    stage = Stage()
    before = set(told(MediaCollector(stage.relay, {})))
    for n in range(30):
        stage.relay.publish(f"show {n}", f"p{n}", Publication(())).connected(FakeLink(), 0.0)
    found = set(told(MediaCollector(stage.relay, {})))
    assert found == before
    assert len(found) < 30 + len(LINES)


def test_metrics_are_shown_while_the_node_is_there() -> None:
    with media_metrics(Stage().relay, {"udp": Counters()}):
        assert b"kkot_media_viewers" in generate_latest(REGISTRY)
    assert b"kkot_media_viewers" not in generate_latest(REGISTRY)
