"""Token buckets by address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import rate_limit
from signaling.core.rate_limit import PUBLISH, REFUSED_COST, Rate, RateLimits, client_of, rates


def test_a_burst_then_a_rate() -> None:
    limits = RateLimits({"watch": Rate(burst=3, per_s=2)})
    assert [limits.admit("a", "watch", 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert limits.admit("a", "watch", 0.4) == 1
    assert limits.admit("a", "watch", 0.5) == 0
    assert limits.admit("a", "watch", 0.5) == 1
    assert [limits.admit("a", "watch", 100.0) for _ in range(4)] == [0, 0, 0, 1]


def test_the_wait_that_is_told_is_long_enough() -> None:
    limits = RateLimits(rates(100))
    now = 0.0
    for _ in range(50):
        wait_s = limits.admit("a", "publish", now)
        limits.refused("a", "publish", now)
        now += wait_s
        assert not wait_s or limits.admit("a", "publish", now) == 0


def test_clients_and_kinds_are_apart() -> None:
    limits = RateLimits({"watch": Rate(1, 1), "end": Rate(1, 1)})
    assert limits.admit("a", "watch", 0.0) == 0
    assert limits.admit("a", "watch", 0.0) == 1
    assert limits.admit("a", "end", 0.0) == 0
    assert limits.admit("b", "watch", 0.0) == 0


def test_a_refusal_costs_more() -> None:
    limits = RateLimits(rates(100))
    tried = 0
    while limits.admit("a", "publish", 0.0) == 0:
        limits.refused("a", "publish", 0.0)
        tried += 1
    assert tried == PUBLISH.burst // (1 + REFUSED_COST)
    assert limits.admit("a", "publish", 1.0) == 0, "its own token is there after a second"


def test_a_crowd_behind_one_address_comes_in() -> None:
    limits = RateLimits(rates(100))
    assert not any(limits.admit("carrier", "watch", joined / 60) for joined in range(300))
    assert not any(limits.admit("house", "watch", 0.0) for _ in range(1000))


def test_no_limit_and_nobody_known() -> None:
    assert rates(0) == {}
    unlimited, limited = RateLimits(rates(0)), RateLimits({"watch": Rate(1, 1)})
    assert not any(unlimited.admit("a", "watch", 0.0) for _ in range(10_000))
    assert not any(limited.admit("", "watch", 0.0) for _ in range(10))
    limited.refused("", "watch", 0.0)
    assert len(unlimited) == len(limited) == 0


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", ""),
        ("127.8.9.10", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a-name", "a-name"),
    ],
)
def test_who_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "CLIENT_LIMIT", 3)
    limits = RateLimits({"watch": Rate(1, 1)})
    for client in "abc":
        assert limits.admit(client, "watch", 0.0) == 0
    assert limits.admit("a", "watch", 0.0) == 1, "asking refreshes"
    assert limits.admit("d", "watch", 0.0) == 0
    assert len(limits) == 3
    assert limits.admit("a", "watch", 0.0) == 1
    assert limits.admit("b", "watch", 0.0) == 0, "the one silent longest was forgotten"


@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), max_size=60))
def test_never_more_than_burst_and_rate(steps: list[tuple[float, bool]]) -> None:
    rate = Rate(burst=5, per_s=2)
    limits = RateLimits({"end": rate})
    admitted = 1 - limits.admit("a", "end", 0.0)
    now = latest = 0.0
    for step, refused in steps:
        now += step
        latest = max(latest, now)
        if limits.admit("a", "end", now) == 0:
            admitted += 1
            if refused:
                limits.refused("a", "end", now)
        assert admitted <= rate.burst + (latest + 1e-6) * rate.per_s
