"""What the operator's graphs show of the media on this node; told when they ask, not before.

Counters are those of the relay and of the media port, so they go on over shows that end. No label
knows a show, a person or a word that a peer chose.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from live.relay.crowd import Sighting
from live.relay.relay import Relay
from signaling.adapters.udp import Counters

LINES: Final = (240, 480, 720, 1080)
"""Viewers are counted by the lines of their picture, up to each of these, and above."""
QUANTILES: Final = (0.5, 0.95, 0.99)
TOTALS: Final = {
    "retransmissions": "Packets sent again to viewers",
    "key_frames_wished": "Key frames that viewers wished",
    "key_frames_asked": "Key frames that publishers were asked for",
    "lost": "Publishers' packets that did not come by themselves",
    "nacks": "Packets that publishers were asked to repeat",
    "repaired": "Publishers' packets that came when they were asked for",
    "freezes": "Freezes of the picture that viewers' pages counted",
    "frozen_s": "Seconds of picture that stood still, as viewers' pages counted",
}


class MediaCollector(Collector):
    """Gathers the metrics of a relay, and of its transports by name."""

    def __init__(self, relay: Relay, traffic: Mapping[str, Counters]) -> None:
        self._relay = relay
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        """What there is at this moment."""
        stats, totals = self._relay.stats(), self._relay.totals()
        for name in ("shows", "publishers"):
            told = f"{name.capitalize()} with media on this node"
            yield GaugeMetricFamily(f"kkot_media_{name}", told, stats[name])
        packets = CounterMetricFamily(
            "kkot_media_packets", "Media packets, from publishers and to viewers", labels=["way"]
        )
        packets.add_metric(["in"], stats["packets_in"])
        packets.add_metric(["out"], totals.packets_out)
        yield packets
        for name, told in TOTALS.items():
            metric = f"kkot_media_{name.removesuffix('_s')}"
            metric += "_seconds" if name.endswith("_s") else ""
            yield CounterMetricFamily(metric, told, getattr(totals, name))
        yield from self._on_the_wire()
        yield from _crowd(list(self._relay.sightings()))

    def _on_the_wire(self) -> Iterator[Metric]:
        labels = ["transport", "way"]
        datagrams = CounterMetricFamily(
            "kkot_media_datagrams",
            "Datagrams at the media port; dropped are those no socket had room for",
            labels=labels,
        )
        octets = CounterMetricFamily("kkot_media_octets", "Bytes at the media port", labels=labels)
        for transport, counted in self._traffic.items():
            datagrams.add_metric([transport, "in"], counted.received)
            datagrams.add_metric([transport, "out"], counted.sent)
            datagrams.add_metric([transport, "dropped"], counted.dropped)
            octets.add_metric([transport, "in"], counted.received_octets)
            octets.add_metric([transport, "out"], counted.sent_octets)
        yield datagrams
        yield octets


def _crowd(viewers: Sequence[Sighting]) -> Iterator[Metric]:
    crowd = GaugeMetricFamily(
        "kkot_media_viewers", "Viewers, by the lines of their picture", labels=["lines"]
    )
    counted = Counter(_lines(viewer) for viewer in viewers)
    for lines in ("paused", "unknown", *map(str, LINES), "more"):
        crowd.add_metric([lines], counted[lines])
    yield crowd
    rtts = [viewer.rtt_s for viewer in viewers if viewer.rtt_s is not None]
    losses = [viewer.loss for viewer in viewers]
    for name, told, values in (
        ("kkot_media_viewer_rtt_seconds", "Round trips of the viewers who are here", rtts),
        ("kkot_media_viewer_loss_ratio", "What they lost, by their last reports", losses),
    ):
        gauge = GaugeMetricFamily(name, told, labels=["quantile"])
        for quantile in QUANTILES if values else ():
            gauge.add_metric([str(quantile)], _quantile(values, quantile))
        yield gauge


def _lines(viewer: Sighting) -> str:
    if viewer.paused:
        return "paused"
    if viewer.lines is None:
        return "unknown"
    return next((str(lines) for lines in LINES if viewer.lines <= lines), "more")


def _quantile(values: Sequence[float], quantile: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return sorted(values)[max(math.ceil(quantile * len(values)) - 1, 0)]


@contextmanager
def media_metrics(relay: Relay, traffic: Mapping[str, Counters]) -> Iterator[None]:
    """Show the relay's metrics at `/metrics` inside."""
    collector = MediaCollector(relay, traffic)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
