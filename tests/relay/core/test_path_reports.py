"""What came through is counted over both sources, across wrap-arounds; a queue is a longer trip."""

from live.relay.core.path_reports import CLOCKS_KEPT, QUICKEST_S, PathReports, Tidings
from live.relay.core.rtcp import ReportBlock

PICTURE, AGAIN = 11, 12


def block(
    highest: int, lost: int, ssrc: int = PICTURE, ntp: int = 0, delay_s: float = 0
) -> ReportBlock:
    """A report block; `ntp`: the time of the sender report it answers."""
    return ReportBlock(ssrc, 0, lost & 0xFFFFFF, highest, 0, ntp >> 16, int(delay_s * 65_536))


def test_first_report_of_a_source_counts_nothing() -> None:
    path = PathReports()
    assert path.tidings is None
    path.note(block(70_000, 90), 1.0)
    assert path.tidings == Tidings(1.0)


def test_picture_and_repetitions_count_together() -> None:
    path = PathReports()
    for ssrc in (PICTURE, AGAIN):
        path.note(block(100, 5, ssrc), 1.0)
    path.note(block(150, 7, PICTURE), 2.0)
    path.note(block(130, 6, AGAIN), 2.0)
    assert path.tidings == Tidings(2.0, 80, 3)


def test_wrapped_numbers_and_a_sunken_count() -> None:
    path = PathReports()
    path.note(block(0xFFFFFFF0, 5), 1.0)
    path.note(block(0x10, 2), 2.0)
    assert path.tidings == Tidings(2.0, 32, 0)
    path.note(block(0x20, -1), 3.0)
    path.note(block(0x30, 1), 4.0)
    assert path.tidings == Tidings(4.0, 64, 2)


def test_source_that_counts_anew_is_no_loss() -> None:
    path = PathReports()
    path.note(block(5_000, 10), 1.0)
    path.note(block(20, 900), 2.0)
    assert path.tidings == Tidings(2.0)


def test_longer_round_trip_than_the_quickest_is_a_queue_until_that_one_is_long_ago() -> None:
    path = PathReports()
    told = ((1.0, 0.06), (2.0, 0.31), (QUICKEST_S + 1.5, 0.31))
    for at, trip_s in told:
        ntp = int(at) << 32
        path.told_clock(ntp, at)
        path.note(block(1, 0, ntp=ntp, delay_s=0.5), at + 0.5 + trip_s)
        assert path.rtt_s is not None
        assert abs(path.rtt_s - trip_s) < 1e-3
        expected = 0.25 if at == 2.0 else 0.0
        assert path.tidings is not None
        assert abs(path.tidings.queue_s - expected) < 1e-3


def test_answers_to_forgotten_or_foreign_clocks_tell_no_time() -> None:
    path = PathReports()
    for n in range(CLOCKS_KEPT + 1):
        path.told_clock(n + 1 << 32, float(n))
    for ntp in (1 << 32, 999 << 32):
        path.note(block(1, 0, ntp=ntp), 20.0)
    assert path.rtt_s is None
