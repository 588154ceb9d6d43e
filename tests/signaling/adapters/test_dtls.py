"""DTLS between two ends in memory: the right certificate connects, nothing else does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from aiortc import RTCCertificate
from pylibsrtp import Policy, Session

from signaling.adapters.dtls import (
    BACKLOG,
    PACKET_LIMIT_BYTES,
    ROOM_BYTES,
    SHA1_80_TAG_BYTES,
    SOURCE_LIMIT,
    Dtls,
    DtlsHandshake,
    SrtpCiphers,
)
from signaling.ports import Run
from signaling.transport import Ciphers

KEY = bytes(range(30))


def rtp(sequence: int, ssrc: int = 1, size: int = 40) -> bytes:
    head = b"\x80\x60" + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(4)
    return head + ssrc.to_bytes(4, "big") + bytes(size)


def receiver_report(ssrc: int) -> bytes:
    return b"\x80\xc9\x00\x01" + ssrc.to_bytes(4, "big")


def ciphers() -> tuple[SrtpCiphers, Session, Session]:
    """Our ciphers, and the other end's outward and inward sessions."""
    ours_out, ours_in = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    theirs_out, theirs_in = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    return SrtpCiphers(ours_in, ours_out, SHA1_80_TAG_BYTES), theirs_out, theirs_in


def session(direction: int) -> Session:
    """As DTLS sets them up: the same packet may be encrypted twice."""
    policy = Policy(KEY, direction)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


class Client(DtlsHandshake):
    """The other end: aiortc's transport in the active role."""

    def __init__(self, fingerprints: Sequence[tuple[str, str]], certificate: RTCCertificate):
        super().__init__(certificate, fingerprints, lambda _: None)
        self._transport._set_role("client")


@dataclass
class Outcome:
    server: Ciphers | None = None
    client: Ciphers | None = None


def fingerprint_of(certificate: RTCCertificate, algorithm: str = "sha-256") -> tuple[str, str]:
    found = {f.algorithm: f.value for f in certificate.getFingerprints()}
    return algorithm, found[algorithm]


async def shake_hands(expected: Sequence[tuple[str, str]], certificate: RTCCertificate) -> Outcome:
    """Run both ends until the server's has ended or both are connected."""
    dtls, outcome = Dtls(), Outcome()
    client = Client([("sha-256", dtls.fingerprint)], certificate)
    server = dtls.handshake(expected, client.receive)
    client._send_datagram = server.receive
    connected = asyncio.Event()

    def on_server(ciphers: Ciphers) -> None:
        outcome.server = ciphers
        if outcome.client:
            connected.set()

    def on_client(ciphers: Ciphers) -> None:
        outcome.client = ciphers
        if outcome.server:
            connected.set()

    async with asyncio.timeout(10):
        runs = [
            asyncio.create_task(server.run(on_server)),
            asyncio.create_task(client.run(on_client)),
        ]
        reached = asyncio.create_task(connected.wait())
        await asyncio.wait([runs[0], reached], return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        server.close()
        client.close()
        await asyncio.gather(*runs)
    return outcome


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
async def test_the_announced_certificate_connects(algorithm: str) -> None:
    certificate = RTCCertificate.generateCertificate()
    outcome = await shake_hands([fingerprint_of(certificate, algorithm)], certificate)
    assert outcome.server is not None
    assert outcome.client is not None
    protected, size = outcome.server.protect_run(Run((rtp(1),)))
    assert len(protected) == size
    assert outcome.client.unprotect(bytes(protected)) == rtp(1)
    report = outcome.client.protect_rtcp(receiver_report(9))
    assert report is not None
    assert outcome.server.unprotect_rtcp(report) == receiver_report(9)


async def test_another_certificate_never_connects() -> None:
    certificate, other = (RTCCertificate.generateCertificate() for _ in range(2))
    outcome = await shake_hands([fingerprint_of(other)], certificate)
    assert outcome.server is None


async def test_every_announced_certificate_must_match() -> None:
    certificate, other = (RTCCertificate.generateCertificate() for _ in range(2))
    expected = [fingerprint_of(certificate), fingerprint_of(other, "sha-512")]
    assert (await shake_hands(expected, certificate)).server is None


async def test_an_association_closed_before_it_began_ends() -> None:
    handshake = Dtls().handshake([("sha-256", "AB")], lambda _: None)
    handshake.close()
    async with asyncio.timeout(5):
        await handshake.run(lambda _: pytest.fail("connected"))


def test_the_backlog_is_bounded() -> None:
    handshake = DtlsHandshake(RTCCertificate.generateCertificate(), [], lambda _: None)
    for _ in range(BACKLOG * 2):
        handshake.receive(b"\x16\xfe")
    assert handshake._inbox.qsize() == BACKLOG


def test_a_bad_packet_is_left_out_of_a_run_and_counted() -> None:
    ours, _, theirs = ciphers()
    assert len(ours.protect_run(Run((rtp(5_000),)))[0]) == len(rtp(5_000)) + SHA1_80_TAG_BYTES
    run = [rtp(5_001), rtp(5_002, size=1_400), rtp(1), b"short", b"", rtp(5_003)]
    whole, size = ours.protect_run(Run(tuple(run)))
    protected = [bytes(whole[start : start + size]) for start in range(0, len(whole), size)]
    assert [theirs.unprotect(packet) for packet in protected] == [run[0], run[-1]]
    assert ours.dropped == 4
    assert ours.protect_run(Run((rtp(5_004, size=1_400),)))[1] == 0


def test_what_does_not_fit_into_the_room_is_dropped_and_counted() -> None:
    ours, _, theirs = ciphers()
    run = [rtp(number, size=1_200) for number in range(60)]
    whole, size = ours.protect_run(Run(tuple(run)))
    assert len(whole) // size + ours.dropped == len(run)
    assert 0 < ours.dropped < 10
    assert len(whole) <= ROOM_BYTES
    last = bytes(whole[-size:])
    assert theirs.unprotect(last) == run[len(whole) // size - 1]


@pytest.mark.parametrize("packet", [b"", b"\x80\xc9", receiver_report(1) + bytes(1_500)])
def test_a_bad_rtcp_packet_is_dropped_and_counted(packet: bytes) -> None:
    ours, *_ = ciphers()
    assert ours.protect_rtcp(packet) is None
    assert ours.dropped == 1


def test_the_longest_packet_can_be_sent_on_with_an_rtx_number() -> None:
    ours, theirs, _ = ciphers()
    for size, accepted in ((PACKET_LIMIT_BYTES, True), (PACKET_LIMIT_BYTES + 1, False)):
        packet = rtp(size, size=size - 12)
        assert ours.unprotect(theirs.protect(packet)) == (packet if accepted else None)
    assert ours.protect_run(Run((rtp(7, ssrc=2, size=PACKET_LIMIT_BYTES - 12 + 2),)))[1]
    assert ours.dropped == 0


def test_sources_are_limited_over_rtp_and_rtcp_together() -> None:
    ours, theirs, _ = ciphers()
    for ssrc in range(SOURCE_LIMIT - 1):
        assert ours.unprotect(theirs.protect(rtp(1, ssrc))) == rtp(1, ssrc)
    forged = receiver_report(77) + bytes(14)
    assert ours.unprotect_rtcp(forged) is None
    last = receiver_report(99)
    assert ours.unprotect_rtcp(theirs.protect_rtcp(last)) == last
    assert ours.unprotect(theirs.protect(rtp(1, ssrc=1_000))) is None
    assert ours.unprotect_rtcp(theirs.protect_rtcp(receiver_report(1_001))) is None
    assert ours.unprotect(theirs.protect(rtp(2, ssrc=0))) == rtp(2, ssrc=0)


def test_forgeries_replays_and_scraps_are_none() -> None:
    ours, theirs, _ = ciphers()
    protected, report = theirs.protect(rtp(1)), theirs.protect_rtcp(receiver_report(1))
    assert ours.unprotect(protected[:-1] + bytes([protected[-1] ^ 1])) is None
    assert ours.unprotect(protected) == rtp(1)
    assert ours.unprotect(protected) is None
    assert ours.unprotect_rtcp(report) == receiver_report(1)
    assert ours.unprotect_rtcp(report) is None
    for size in range(len(protected)):
        assert ours.unprotect(protected[:size]) is None
    for size in range(len(report)):
        assert ours.unprotect_rtcp(report[:size]) is None
    assert ours.unprotect(protected + bytes(2_000)) is None
