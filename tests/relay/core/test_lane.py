"""A lane runs on: over wraps, late packets, leaps and new publishers."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.lane import GAP_MOST, HISTORY, LATE_MOST, SHIFTS, Lane
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


def test_padding_alone_is_left_out_and_numbers_run_on() -> None:
    made = lane()
    assert give(made, BASE, b"") is None
    sent = [give(made, BASE + 1 + n, b"" if n % 3 == 1 else DELTA) for n in range(3 * SHIFTS)]
    kept = [packet for packet in sent if packet is not None]
    assert len(kept) == 2 * SHIFTS
    assert [outgoing for outgoing, _, _ in kept] == list(range(kept[0][0], kept[0][0] + len(kept)))
    assert made.packets == len(kept)


def test_who_comes_late_from_before_padding_gets_the_number_that_was_kept_for_it() -> None:
    made = lane()
    for n in (0, 2, 3, 4):
        give(made, BASE + n, b"" if n == 3 else DELTA)
    late = give(made, BASE + 1)
    assert late is not None
    assert made.recall(made.head - 3) == late[1]
    assert late[0] == made.head - 3


def test_padding_after_a_gap_goes_out_empty() -> None:
    made = lane()
    give(made, BASE)
    empty = give(made, BASE + 2, b"")
    assert empty is not None
    assert len(empty[1]) == 12
    late = give(made, BASE + 1)
    assert late is not None
    assert late[0] + 1 == empty[0] == made.head - 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=150))
def test_whatever_is_padding_and_however_late_numbers_are_whole_and_in_order(
    packets: list[tuple[bool, int]],
) -> None:
    made = lane()
    give(made, BASE)
    first = made.head
    order = sorted(range(len(packets)), key=lambda n: n + packets[n][1])
    sent = {n: give(made, BASE + 1 + n, b"" if packets[n][0] else DELTA) for n in order}
    kept = [packet[0] for _, packet in sorted(sent.items()) if packet is not None]
    assert kept == list(range(first, made.head))
    assert all(sent[n] is not None for n, (is_padding, _) in enumerate(packets) if not is_padding)
