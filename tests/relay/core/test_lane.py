"""A lane runs on: over wraps, late packets, leaps and new publishers."""

from live.relay.core.lane import GAP_MOST, HISTORY, LATE_MOST, Lane
from live.relay.core.rtp import parse
from tests.relay.media import DELTA, H264, KEY, sequence_of, timestamp_of, video

BASE = 0x10000


def lane() -> Lane:
    return Lane(H264, 77, 78, 0x1FFF0)


def give(
    lane: Lane, number: int, payload: bytes = DELTA, *, at: float = 0.0, timestamp: int = 0
) -> tuple[int, bytes, bool] | None:
    packet = video(number, payload, timestamp=timestamp & 0xFFFFFFFF)
    head = parse(packet)
    assert head is not None
    return lane.forward(packet, head, number, head.start, at)


def test_numbers_and_timestamps_run_on_after_a_restart() -> None:
    made = lane()
    sent = [give(made, BASE + n, timestamp=2**32 - 3000 + n * 3000, at=n / 30) for n in range(40)]
    made.restart()
    sent += [give(made, 500 + n, timestamp=9 + n * 3000, at=(40 + n) / 30) for n in range(40)]
    packets = [kept[1] for kept in sent if kept is not None]
    assert [sequence_of(p) for p in packets] == [(0xFFF0 + n) & 0xFFFF for n in range(80)]
    times = [timestamp_of(p) for p in packets]
    assert all(abs(at - n * 3000) <= 2 for n, at in enumerate(times))


def test_history_is_recalled_by_number_until_it_is_forgotten() -> None:
    made = lane()
    for n in range(HISTORY + 10):
        give(made, BASE + n)
    assert made.recall_by_sequence(0xFFF0) is None
    whole = made.recall(made.head - 5)
    assert whole is not None
    assert made.recall_by_sequence(sequence_of(whole)) == whole
    assert made.recall_by_sequence(sequence_of(whole), 4) is None


def test_late_packets_are_taken_as_long_as_they_can_be_sent() -> None:
    made = lane()
    give(made, BASE)
    give(made, BASE + GAP_MOST)
    assert give(made, BASE + 3) is not None
    give(made, BASE + LATE_MOST + 4)
    assert give(made, BASE + 2) is None
    assert give(made, BASE - 1) is None


def test_a_leap_leaves_one_number_out() -> None:
    made = lane()
    first, second = give(made, BASE), give(made, BASE + 20_000)
    assert first is not None
    assert second is not None
    assert second[0] == first[0] + 2
    assert give(made, BASE + 19_999) is None


def test_fast_start_is_at_the_newest_key_frame_while_it_is_fresh() -> None:
    made = lane()
    assert made.fast_start(0.0) is None
    give(made, BASE, KEY, timestamp=1)
    give(made, BASE + 5, KEY, timestamp=2)
    start = made.fast_start(1.0)
    assert start == made.head - 1
    give(made, BASE + 1, KEY, timestamp=1)
    assert made.fast_start(1.0) == start
    assert made.fast_start(13.0) is None
    made.restart()
    assert made.fast_start(1.0) is None


def test_clocks_wrap_with_ntp() -> None:
    made = lane()
    give(made, BASE, timestamp=100)
    assert made.clocks_now(0.0) is None
    made.clocks(2**64 - 1, 100, 0.0)
    assert made.clocks_now(1.0) == (2**32 - 1, 90_000)
