"""What is told of a publisher: each layer's losses, jitter, repairs and key frame requests."""

import pytest

from live.relay.core import rtcp
from live.relay.statistics import LayerStatistics
from tests.relay.media import KEY, REPAIRED_RID_ID, FakeLink, from_source, layered, named, repeated
from tests.relay.test_broadcast import SHOW, Stage
from tests.relay.test_publisher import SSRCS, layer


def layers_of(stage: Stage) -> dict[str, LayerStatistics]:
    told = stage.relay.statistics(SHOW)
    assert told is not None
    assert told.publisher is not None
    return {layer.rid or layer.kind: layer for layer in told.publisher.layers}


def test_each_layer_tells_what_became_of_its_packets() -> None:
    stage = Stage()
    sink, link = stage.relay.publish(SHOW, "p", layered()), FakeLink()
    sink.connected(link, stage.now)
    stage.send(sink, *(named(layer(rid, 1, KEY), rid) for rid in SSRCS))
    stage.send(sink, layer("h", 4))
    stage.pass_time(0.04)
    assert layers_of(stage)["h"].nacks == 2
    again = from_source(repeated(layer("h", 2)), 0x999)
    stage.send(sink, named(again, "h", REPAIRED_RID_ID))
    stage.pass_time(1.1)
    told = layers_of(stage)
    assert list(told) == ["q", "h", "f", "audio"]
    half = told["h"]
    assert (half.lost, half.repaired, half.packets, half.key_frames) == (2, 1, 3, 1)
    assert half.nacks > 2
    assert (half.key_frame_requests, told["q"].key_frame_requests) == (1, 0)
    assert (told["q"].lost, told["q"].nacks, told["f"].packets) == (0, 0, 1)
    statistics = stage.relay.statistics(SHOW)
    assert statistics is not None
    assert statistics.publisher is not None
    assert statistics.publisher.rtt_ms == pytest.approx(20)


def test_a_layer_the_last_publisher_had_is_not_told_of_the_next() -> None:
    stage = Stage()
    stage.relay.publish(SHOW, "p", layered()).connected(FakeLink(), stage.now)
    stage.relay.publish(SHOW, "p", layered(())).connected(FakeLink(), stage.now)
    assert list(layers_of(stage)) == ["video", "audio"]


def test_counts_outlive_a_change_of_source() -> None:
    stage = Stage()
    sink, link = stage.relay.publish(SHOW, "p", layered()), FakeLink()
    sink.connected(link, stage.now)
    stage.send(sink, named(layer("q", 1), "q"))
    for n in range(3, 18):
        stage.send(sink, layer("q", n))
        stage.pass_time(0.1)
    asked = layers_of(stage)["q"].nacks
    stage.send(sink, named(from_source(layer("q", 7), 0x777), "q"))
    for n in range(9, 24):
        stage.send(sink, from_source(layer("q", n), 0x777))
        stage.pass_time(0.1)
    told = layers_of(stage)["q"]
    assert told.lost == 2
    assert told.nacks == 2 * asked
    assert told.key_frame_requests >= 2
    assert any(rtcp.picture_loss(1, 0x777) in report for report in link.reports)
