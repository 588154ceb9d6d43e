"""A round of questions to STUN servers: its times, and which answers count."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import stun
from signaling.core.reflexive import DUE_AFTER_S, Address, Round

FIRST: Address = ("192.0.2.1", 3478)
SECOND: Address = ("192.0.2.2", 3478)
ONE, TWO = b"transaction1", b"transaction2"
BEGUN = 1_000.0


def begun() -> Round:
    """A round whose first questions are out."""
    round_ = Round({ONE: FIRST, TWO: SECOND}, BEGUN)
    round_.ask(BEGUN)
    return round_


def answer(transaction: bytes, host: str = "198.51.100.9", port: int = 8189) -> stun.Message:
    request = stun.Message(stun.BINDING_REQUEST, transaction, {}, b"", b"")
    return stun.parse(stun.success(request, host, port, b""))


def error(transaction: bytes) -> stun.Message:
    request = stun.Message(stun.BINDING_REQUEST, transaction, {}, b"", b"")
    return stun.parse(stun.error(request, 420, [], b""))


def test_questions_go_out_as_rfc_8489_has_it() -> None:
    assert DUE_AFTER_S == (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 39.5)
    round_ = Round({ONE: FIRST, TWO: SECOND}, BEGUN)
    asked = []
    while not round_.over:
        now = round_.due
        assert round_.ask(now - 0.001) == []
        questions = round_.ask(now)
        assert [to for to, _ in questions] == ([FIRST, SECOND] if questions else [])
        asked += [now - BEGUN for _ in questions[:1]]
    assert tuple(asked) == DUE_AFTER_S[:-1]
    assert round_.mapped is None
    assert round_.ask(BEGUN + 1_000) == []


def test_a_question_is_a_binding_request_of_its_own() -> None:
    questions = dict(Round({ONE: FIRST, TWO: SECOND}, BEGUN).ask(BEGUN))
    for server, transaction in ((FIRST, ONE), (SECOND, TWO)):
        message = stun.parse(questions[server])
        assert (message.kind, message.transaction) == (stun.BINDING_REQUEST, transaction)
        assert questions[server][-8:-4] == pack("!HH", stun.FINGERPRINT, 4)


def test_the_first_answer_ends_the_round() -> None:
    round_ = begun()
    assert round_.receive(answer(TWO), SECOND)
    assert round_.mapped == ("198.51.100.9", 8189)
    assert not round_.receive(answer(ONE, "198.51.100.10"), FIRST)
    assert round_.mapped == ("198.51.100.9", 8189)
    assert round_.ask(BEGUN + 100) == []


@pytest.mark.parametrize(
    ("message", "source"),
    [
        (answer(b"someone else"), FIRST),
        (answer(ONE), SECOND),
        (answer(ONE), ("192.0.2.1", 3479)),
        (answer(ONE), ("203.0.113.66", 3478)),
    ],
)
def test_what_was_not_asked_does_not_count(message: stun.Message, source: Address) -> None:
    round_ = begun()
    assert not round_.receive(message, source)
    assert not round_.over
    assert len(round_.ask(round_.due)) == 2


@pytest.mark.parametrize(
    ("host", "port"),
    [("0.0.0.0", 8189), ("224.0.0.1", 8189), ("198.51.100.9", 0), ("2001:db8::9", 8189)],
)
def test_an_address_nobody_could_use_is_no_answer(host: str, port: int) -> None:
    round_ = begun()
    assert not round_.receive(answer(ONE, host, port), FIRST)
    assert round_.mapped is None
    assert [to for to, _ in round_.ask(round_.due)] == [SECOND]


def test_errors_from_everybody_end_the_round() -> None:
    round_ = begun()
    assert not round_.receive(error(ONE), FIRST)
    assert round_.receive(error(TWO), SECOND)
    assert round_.over
    assert round_.mapped is None


def test_a_round_without_servers_is_over() -> None:
    assert Round({}, BEGUN).over


def test_an_answer_with_something_strange_that_must_be_understood_tells_nothing() -> None:
    value = answer(ONE).attributes[stun.XOR_MAPPED_ADDRESS]
    for strange, told in ((0x8022, True), (stun.MAPPED_ADDRESS, True), (0x0002, False)):
        attributes = [(stun.XOR_MAPPED_ADDRESS, value), (strange, bytes(4))]
        message = stun.parse(stun.build(stun.BINDING_SUCCESS, ONE, attributes, b""))
        assert (stun.mapped_address(message) is not None) == told


@given(st.ip_addresses(), st.integers(0, 65_535), st.binary(min_size=12, max_size=12))
def test_mapped_addresses_come_back(host: object, port: int, transaction: bytes) -> None:
    assert stun.mapped_address(answer(transaction, str(host), port)) == (str(host), port)


@given(st.binary(max_size=40), st.sampled_from([stun.BINDING_SUCCESS, stun.BINDING_ERROR]))
def test_any_value_is_an_address_or_none(value: bytes, kind: int) -> None:
    message = stun.Message(kind, ONE, {stun.XOR_MAPPED_ADDRESS: value}, b"", b"")
    mapped = stun.mapped_address(message)
    sound = kind == stun.BINDING_SUCCESS and (len(value), value[1:2]) in ((8, b"\1"), (20, b"\2"))
    assert (mapped is not None) == sound
