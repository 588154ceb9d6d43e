"""Every reader of what strangers send: only its own error, bounded work, and what was written."""

from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core import codecs, rtcp, rtp
from live.relay.core.seq import Unwrapper
from live.relay.core.twcc import SPAN_LIMIT, TransportFeedback
from signaling.core import negotiate, sdp, stun
from signaling.core.demux import classify
from signaling.errors import SignalingError
from tests.fuzz.spoilt import any_bytes, spoilt
from tests.signaling.offers import LOCAL, STREAM, chromium

PASSWORD = b"0123456789abcdef0123456789abcdef"
CHECK = stun.build(
    stun.BINDING_REQUEST,
    b"transaction!",
    [(stun.USERNAME, b"ours:theirs"), (stun.PRIORITY, bytes(4)), (stun.USE_CANDIDATE, b"")],
    PASSWORD,
)
EXTENDED = b"\x90" + rtp.header(True, 96, 7, 9000, 1)[1:] + b"\xbe\xde\x00\x02\x51\x00\x07\xa0q"
RTP = [rtp.header(True, 96, 7, 9000, 1) + b"\x41\x9a" + bytes(40), EXTENDED + bytes(60)]
RTCP = [
    rtcp.sender_report(1, 1 << 60, 9000, 3, 400, "seller"),
    rtcp.receiver_report(1, [rtcp.ReportBlock(2, 3, 4, 70_000, 6, 7, 8)])
    + rtcp.nack(1, 2, [1, 2, 5, 17, 18, 400])
    + rtcp.picture_loss(1, 2)
    + rtcp.remb(1, 2_500_000, [2, 3]),
    pack("!BBHIIIBBBB", 0x84, rtcp.PSFB, 4, 1, 0, 2, 1, 0, 0, 0),
]
OFFERS = [chromium(name) for name in ("publish", "publish_simulcast", "watch", "watch_audio")]


@given(any_bytes([CHECK]))
def test_stun_reader_knows_one_error(datagram: bytes) -> None:
    classify(datagram)
    try:
        message = stun.parse(datagram)
    except stun.StunError:
        return
    assert len(message.attributes) <= stun.ATTRIBUTE_LIMIT
    assert message.kind < 0x4000
    if message.is_authentic(PASSWORD):
        assert message.authenticated[:2] == CHECK[:2]
        assert message.attributes == stun.parse(CHECK).attributes
    assert isinstance(message.username, str)


@given(
    st.integers(0, 0x3FFF),
    st.binary(min_size=12, max_size=12),
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF).filter(
                lambda n: n not in (stun.MESSAGE_INTEGRITY, stun.FINGERPRINT)
            ),
            st.binary(max_size=40),
        ),
        max_size=20,
        unique_by=lambda attribute: attribute[0],
    ),
    st.binary(max_size=40),
)
def test_stun_reads_what_it_writes(
    kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], password: bytes
) -> None:
    message = stun.parse(stun.build(kind, transaction, attributes, password))
    assert (message.kind, message.transaction) == (kind, transaction)
    assert message.attributes == dict(attributes)
    assert message.is_authentic(password)
    assert not message.is_authentic(password + b"x")


@given(any_bytes(RTP), st.integers(0, 255))
def test_rtp_reader_stays_inside_the_packet(packet: bytes, identifier: int) -> None:
    head = rtp.parse(packet)
    if head is None:
        return
    assert rtp.HEADER_BYTES <= head.start <= head.stop <= len(packet)
    number = rtp.extension_u16(packet, head, identifier)
    assert number is None or 0 <= number <= 0xFFFF


@given(
    st.booleans(),
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    *[st.integers(0, 0xFFFFFFFF)] * 2,
    st.binary(max_size=99),
)
def test_rtp_reads_what_it_writes(
    marker: bool, kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes
) -> None:
    head = rtp.parse(rtp.header(marker, kind, sequence, timestamp, ssrc) + payload)
    assert head is not None
    assert head[:5] == (marker, kind, sequence, timestamp, ssrc)
    assert (head.start, head.stop) == (12, 12 + len(payload))


@given(any_bytes(RTCP))
def test_rtcp_reader_is_bounded(compound: bytes) -> None:
    heard = list(rtcp.parse(compound))
    assert len(heard) <= rtcp.PACKET_LIMIT
    for packet in heard:
        if isinstance(packet, rtcp.Nack):
            assert len(packet.sequences) <= rtcp.NACK_LIMIT
            assert all(0 <= sequence <= 0xFFFF for sequence in packet.sequences)


@given(st.integers(0, 0xFFFFFFFF), st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=300))
def test_nack_reads_what_it_writes(ssrc: int, missing: set[int]) -> None:
    assert [*rtcp.parse(rtcp.nack(1, ssrc, sorted(missing)))] == [
        rtcp.Nack(ssrc, tuple(sorted(missing)))
    ]


@given(*[st.integers(0, 0xFFFFFFFF)] * 2, st.integers(0, (1 << 64) - 1), st.text(max_size=300))
def test_sender_report_reads_what_it_writes(ssrc: int, stamp: int, ntp: int, name: str) -> None:
    report = rtcp.sender_report(ssrc, ntp, stamp, 1, 2, name)
    assert [*rtcp.parse(report)] == [rtcp.SenderReport(ssrc, ntp, stamp)]


@pytest.mark.parametrize("codec", sorted(codecs.KEY_FRAME))
def test_key_frame_readers_take_any_payload(codec: str) -> None:
    reads = codecs.KEY_FRAME[codec]

    @given(any_bytes([b"\x78\x00\x04\x67\x42\xe0\x1f\x00\x02\x68\xce", b"\x90\xe0\x80\x01\x07\0"]))
    def check(payload: bytes) -> None:
        assert reads(payload) in {True, False}

    check()


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=400))
def test_transport_feedback_is_bounded_whatever_numbers_come(numbers: list[int]) -> None:
    feedback = TransportFeedback()
    for count, number in enumerate(numbers):
        feedback.receive(number, count / 1_000)
    body = feedback.build()
    assert body is not None
    assert len(body) <= 8 + 4 * SPAN_LIMIT
    assert len(body) % 4 == 0
    assert feedback.build() is None


@given(st.sampled_from((16, 32)), st.lists(st.integers(0, 0xFFFF), max_size=50))
def test_unwrapped_numbers_are_the_numbers(bits: int, numbers: list[int]) -> None:
    unwrapper = Unwrapper(bits)
    assert [unwrapper.unwrap(number) % (1 << bits) for number in numbers] == numbers


def answer(offer: str) -> None:
    """Go all the way an offer goes."""
    description = sdp.parse(offer)
    negotiate.remote_of(description)
    negotiate.publish(description, LOCAL)
    negotiate.watch(description, LOCAL, STREAM)


@st.composite
def spoilt_offers(draw: st.DrawFn) -> str:
    """Offers with lines changed, moved, repeated or left out."""
    lines = draw(st.sampled_from(OFFERS)).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("spoil", "remove", "move", "number"))):
            case "spoil":
                lines[at] = draw(spoilt([lines[at].encode()])).decode("utf-8", "replace")
            case "remove" if len(lines) > 1:
                del lines[at]
            case "move":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case _:
                name, colon, _ = lines[at].partition(":")
                lines[at] = name + colon + draw(st.text(max_size=30))
    return "\r\n".join(lines)


@given(spoilt_offers() | st.text(max_size=500))
def test_offers_are_answered_or_refused(offer: str) -> None:
    with suppress(SignalingError):
        answer(offer)
