"""STUN against the vectors of RFC 5769, against aioice both ways, and against anything at all."""

from struct import pack

import pytest
from aioice import stun as foreign
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import stun

RFC5769_PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
RFC5769_REQUEST = bytes.fromhex(
    "00010058 2112a442 b7e7a701bc34d686fa87dfae"
    "80220010 5354554e207465737420636c69656e74"
    "00240004 6e0001ff"
    "80290008 932ff9b151263b36"
    "00060009 6576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004 e57a3bcf"
)
PASSWORD = b"0123456789abcdef"
TRANSACTION = b"transaction!"
REQUEST = stun.Message(stun.BINDING_REQUEST, TRANSACTION, {}, b"", b"")

passwords = st.binary(min_size=1, max_size=64)
transactions = st.binary(min_size=12, max_size=12)
attribute_numbers = st.integers(0, 0xFFFF).filter(
    lambda number: number not in (stun.MESSAGE_INTEGRITY, stun.FINGERPRINT)
)
attributes = st.lists(
    st.tuples(attribute_numbers, st.binary(max_size=30)),
    max_size=20,
    unique_by=lambda pair: pair[0],
)


def test_the_request_of_rfc_5769() -> None:
    message = stun.parse(RFC5769_REQUEST)
    assert message.kind == stun.BINDING_REQUEST
    assert message.transaction.hex() == "b7e7a701bc34d686fa87dfae"
    assert message.username == "evtj:h6vY"
    assert message.attributes[stun.PRIORITY].hex() == "6e0001ff"
    assert stun.ICE_CONTROLLED in message.attributes
    assert message.is_authentic(RFC5769_PASSWORD)
    assert not message.is_authentic(RFC5769_PASSWORD + b"x")
    assert message.unknown_attributes() == []


@pytest.mark.parametrize("at", range(len(RFC5769_REQUEST) - 8))
def test_no_byte_before_the_fingerprint_can_be_changed(at: int) -> None:
    changed = bytearray(RFC5769_REQUEST)
    changed[at] ^= 1
    try:
        message = stun.parse(bytes(changed))
    except stun.StunError:
        return
    assert not message.is_authentic(RFC5769_PASSWORD)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 1)]
)
def test_aioice_reads_our_success(host: str, port: int) -> None:
    answer = foreign.parse_message(stun.success(REQUEST, host, port, PASSWORD))
    assert answer.check_message_integrity(PASSWORD)
    assert answer.message_class == foreign.Class.RESPONSE
    assert answer.transaction_id == TRANSACTION
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (host, port)


@pytest.mark.parametrize(("code", "unknown"), [(420, [0x7ABC, 0x0031]), (487, [])])
def test_aioice_reads_our_errors(code: int, unknown: list[int]) -> None:
    data = stun.error(REQUEST, code, unknown, PASSWORD)
    answer = foreign.parse_message(data)
    assert answer.check_message_integrity(PASSWORD)
    assert answer.message_class == foreign.Class.ERROR
    assert answer.error_code == code
    told = stun.parse(data).attributes.get(stun.UNKNOWN_ATTRIBUTES, b"")
    assert told == b"".join(pack("!H", number) for number in unknown)


def test_we_read_the_check_of_aioice() -> None:
    request = foreign.Message(foreign.Method.BINDING, foreign.Class.REQUEST, TRANSACTION)
    request.attributes["USERNAME"] = "ours:theirs"
    request.attributes["PRIORITY"] = 7
    request.attributes["ICE-CONTROLLING"] = 9
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(PASSWORD)
    message = stun.parse(bytes(request))
    assert message.username == "ours:theirs"
    assert message.is_authentic(PASSWORD)
    assert stun.USE_CANDIDATE in message.attributes
    assert message.unknown_attributes() == []


def test_a_message_without_integrity_is_never_authentic() -> None:
    request = foreign.Message(foreign.Method.BINDING, foreign.Class.REQUEST, TRANSACTION)
    request.add_fingerprint()
    message = stun.parse(bytes(request))
    assert not message.is_authentic(PASSWORD)
    assert not message.is_authentic(b"")


def test_what_follows_the_integrity_counts_for_nothing() -> None:
    signed = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b")], PASSWORD)[:-8]
    late = signed + pack("!HH", stun.USE_CANDIDATE, 0)
    late = late[:2] + pack("!H", len(late) - stun.HEADER_BYTES) + late[4:]
    message = stun.parse(late)
    assert message.is_authentic(PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


def test_the_first_of_two_equal_attributes_counts() -> None:
    twice = [(stun.USERNAME, b"one"), (stun.USERNAME, b"two")]
    message = stun.parse(stun.build(stun.BINDING_REQUEST, TRANSACTION, twice, PASSWORD))
    assert message.username == "one"


@pytest.mark.parametrize(("count", "accepted"), [(30, True), (31, False)])
def test_the_attribute_limit_is_exact(count: int, accepted: bool) -> None:
    """`count` attributes with integrity and fingerprint make `ATTRIBUTE_LIMIT`, or one more."""
    filler = [(stun.COMPREHENSION_OPTIONAL | number, b"") for number in range(count)]
    data = stun.build(stun.BINDING_REQUEST, TRANSACTION, filler, PASSWORD)
    if accepted:
        assert count + 2 == stun.ATTRIBUTE_LIMIT
        assert stun.parse(data).is_authentic(PASSWORD)
    else:
        with pytest.raises(stun.StunError, match="too many"):
            stun.parse(data)


@given(st.sampled_from([0x0001, 0x0011, 0x0101, 0x0111]), transactions, attributes, passwords)
def test_what_is_built_is_read_back(
    kind: int, transaction: bytes, given_attributes: list[tuple[int, bytes]], password: bytes
) -> None:
    message = stun.parse(stun.build(kind, transaction, given_attributes, password))
    assert (message.kind, message.transaction) == (kind, transaction)
    assert message.attributes == dict(given_attributes)
    assert message.is_authentic(password)


def proves_nothing(datagram: bytes) -> bool:
    """Refused, or read without being believed."""
    try:
        message = stun.parse(datagram)
    except stun.StunError:
        return True
    return isinstance(message.username, str) and not message.is_authentic(b"nobody's password")


@given(st.binary(max_size=1600))
def test_parse_raises_nothing_else_for_any_bytes(datagram: bytes) -> None:
    assert proves_nothing(datagram)


@given(st.binary(max_size=120).filter(lambda body: len(body) % 4 == 0))
def test_parse_raises_nothing_else_behind_a_sound_header(body: bytes) -> None:
    assert proves_nothing(pack("!HHI", 1, len(body), stun.MAGIC_COOKIE) + TRANSACTION + body)


@given(st.data())
def test_parse_raises_nothing_else_for_a_spoilt_request(data: st.DataObject) -> None:
    spoilt = bytearray(RFC5769_REQUEST)
    for at in data.draw(st.lists(st.integers(0, len(spoilt) - 1), min_size=1, max_size=6)):
        spoilt[at] = data.draw(st.integers(0, 255))
    if bytes(spoilt) != RFC5769_REQUEST:
        assert proves_nothing(bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]))
