"""What the operator's graphs show of the chat archive, as this node knows it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.archiving import Archivist, Tally


class ArchiveCollector(Collector):
    """Gathers the metrics of an archivist."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """What there is at this moment."""
        tally = self._tally
        yield CounterMetricFamily(
            "kkot_chat_archived", "Messages of rooms that this node archived", tally.archived
        )
        yield CounterMetricFamily(
            "kkot_chat_archive_lost",
            "Messages of rooms that were dropped while the archive was away",
            tally.lost,
        )
        yield CounterMetricFamily(
            "kkot_chat_archive_swept",
            "Archived messages that this node forgot, being older than they are kept",
            tally.swept,
        )
        yield GaugeMetricFamily(
            "kkot_chat_archive_waiting",
            "Messages that wait for the archive, in the rooms this node archives",
            tally.waiting,
        )


@contextmanager
def archive_metrics(archivist: Archivist) -> Iterator[None]:
    """The archivist's metrics are at /metrics inside."""
    collector = ArchiveCollector(archivist.tally)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
