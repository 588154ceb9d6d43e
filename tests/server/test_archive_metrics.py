"""The archive in the operator's graphs."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from chat.archiving import Tally
from live.server.archive_metrics import ArchiveCollector


def test_what_was_archived_and_lost_and_waits_is_told() -> None:
    registry = CollectorRegistry()
    registry.register(ArchiveCollector(Tally(archived=7, lost=2, swept=3, waiting=5)))
    lines = generate_latest(registry).decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "kkot_chat_archived_total 7.0",
        "kkot_chat_archive_lost_total 2.0",
        "kkot_chat_archive_swept_total 3.0",
        "kkot_chat_archive_waiting 5.0",
    ]
