"""One ICE-lite session in virtual time: who is believed, who is answered, where to send."""

import pytest

from signaling.core import stun
from signaling.core.ice_lite import (
    CONSENT_S,
    SOURCE_LIMIT,
    IceLite,
    Ignored,
    Nominated,
    Rejected,
    Reply,
)

PASSWORD = b"0123456789abcdef0123456789abcdef"
TRANSACTION = b"transaction!"


def session(now: float = 0.0) -> IceLite:
    return IceLite("ours", PASSWORD.decode(), "theirs", now)


def check(
    *more: tuple[int, bytes],
    username: str = "ours:theirs",
    password: bytes = PASSWORD,
    kind: int = stun.BINDING_REQUEST,
) -> stun.Message:
    attributes = [(stun.USERNAME, username.encode()), *more]
    return stun.parse(stun.build(kind, TRANSACTION, attributes, password))


def send(
    ice: IceLite, message: stun.Message, source: str = "a", now: float = 0.0
) -> Reply | Nominated | Rejected | Ignored:
    return ice.receive(message, source, "192.0.2.9", 4000, now)


NOMINATE = (stun.USE_CANDIDATE, b"")


def test_a_check_proves_its_source_and_tells_its_address() -> None:
    ice = session()
    reply = send(ice, check())
    assert isinstance(reply, Reply)
    answer = stun.parse(reply.datagram)
    assert answer.kind == stun.BINDING_SUCCESS
    assert answer.is_authentic(PASSWORD)
    assert ice.sources == {"a"}
    assert ice.selected is None


def test_the_latest_nominated_source_is_selected() -> None:
    ice = session()
    assert isinstance(send(ice, check(NOMINATE), "a"), Nominated)
    assert isinstance(send(ice, check(NOMINATE), "a"), Reply)
    assert isinstance(send(ice, check(), "b"), Reply)
    assert ice.selected == "a"
    assert isinstance(send(ice, check(NOMINATE), "b"), Nominated)
    assert isinstance(send(ice, check(NOMINATE), "a"), Nominated)
    assert ice.selected == "a"


@pytest.mark.parametrize(
    "message",
    [
        check(NOMINATE, password=b"wrong"),
        check(NOMINATE, username="ours:stranger"),
        check(NOMINATE, username="ours"),
        check(NOMINATE, username="other:theirs"),
        check(NOMINATE, kind=stun.BINDING_SUCCESS),
        check(NOMINATE, kind=stun.BINDING_ERROR),
        check(NOMINATE, kind=stun.BINDING_INDICATION),
        check((0x7ABC, b"unknown"), password=b"wrong"),
        check((stun.ICE_CONTROLLED, bytes(8)), password=b"wrong"),
    ],
)
def test_a_stranger_gets_silence_and_changes_nothing(message: stun.Message) -> None:
    ice = session()
    assert isinstance(send(ice, message, now=CONSENT_S), Ignored)
    assert not ice.sources
    assert ice.selected is None
    assert ice.expired(CONSENT_S + 0.1)


def test_an_unknown_required_attribute_is_told_and_counts_for_nothing() -> None:
    ice = session()
    decision = send(ice, check(NOMINATE, (0x7ABC, b"?"), (0x8ABC, b"optional")))
    assert isinstance(decision, Rejected)
    answer = stun.parse(decision.datagram)
    assert answer.kind == stun.BINDING_ERROR
    assert answer.attributes[stun.ERROR_CODE][2:4] == bytes([4, 20])
    assert answer.attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x7a\xbc"
    assert not ice.sources


def test_a_peer_that_wants_to_be_controlled_hears_487() -> None:
    ice = session()
    decision = send(ice, check((stun.ICE_CONTROLLED, bytes(8))))
    assert isinstance(decision, Rejected)
    assert stun.parse(decision.datagram).attributes[stun.ERROR_CODE][2:4] == bytes([4, 87])
    assert not ice.sources


def test_sources_are_limited_and_known_ones_go_on() -> None:
    ice = session()
    for number in range(SOURCE_LIMIT):
        assert isinstance(send(ice, check(), f"source {number}"), Reply)
    assert isinstance(send(ice, check(NOMINATE), "one too many"), Ignored)
    assert isinstance(send(ice, check(NOMINATE), "source 0"), Nominated)
    assert len(ice.sources) == SOURCE_LIMIT


def test_a_forgotten_source_gives_its_place_back() -> None:
    ice = session()
    for number in range(SOURCE_LIMIT):
        send(ice, check(NOMINATE), f"source {number}")
    ice.forget(f"source {SOURCE_LIMIT - 1}")
    assert ice.selected is None
    assert isinstance(send(ice, check(NOMINATE), "another"), Nominated)


def test_consent_runs_out_in_silence_only() -> None:
    ice = session(now=100.0)
    assert not ice.expired(100.0 + CONSENT_S)
    assert ice.expired(100.1 + CONSENT_S)
    send(ice, check(), now=120.0)
    assert not ice.expired(120.0 + CONSENT_S)
    assert ice.expired(120.1 + CONSENT_S)
