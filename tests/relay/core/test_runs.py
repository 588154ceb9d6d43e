"""Runs cover every packet once and keep to what one system call takes."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.runs import RUN_BYTES, RUN_PACKETS, batch


@given(st.lists(st.sampled_from([12, 100, 1200, 1201, 30_000]), max_size=150))
def test_runs(sizes: list[int]) -> None:
    gathered = batch([bytes(size) for size in sizes])
    assert [len(packet) for packet in gathered.packets] == sizes
    for run in ([len(packet) for packet in run.packets] for run in gathered.runs):
        assert len(run) <= RUN_PACKETS
        assert sum(run) <= RUN_BYTES
        assert set(run[:-1]) <= {run[0]}
        assert run[-1] <= run[0]
