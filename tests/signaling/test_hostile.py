"""Hostile input at every door of the real port, while a connected session goes on.

A viewer made of our own DTLS in the active role watches through one socket. Whatever a stranger,
or somebody who has proven a second source of the same session, sends: the viewer still gets the
next packet.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterable
from struct import pack
from typing import cast

import pytest
import pytest_asyncio
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsTransport

from signaling.adapters.dtls import SOURCE_LIMIT, DtlsHandshake
from signaling.adapters.service import open_signaling
from signaling.core import stun
from signaling.core.demux import Protocol, classify
from signaling.endpoint import Endpoint
from signaling.errors import SignalingError
from signaling.ports import Batch, Run
from signaling.transport import Ciphers
from tests.signaling.doubles import SHOW, OneShow, RecordingMedia, RecordingSink
from tests.signaling.offers import STREAM, attribute, chromium, ice_check

RANDOM = random.Random(7)


def scraps(count: int, first: Iterable[int]) -> list[bytes]:
    """Random datagrams that begin with one of the bytes."""
    choices = list(first)
    return [
        bytes([RANDOM.choice(choices)]) + RANDOM.randbytes(RANDOM.choice((1, 12, 40, 1_200)))
        for _ in range(count)
    ]


def rtp(sequence: int, ssrc: int = 3333, size: int = 40, head: bytes = b"\x80\x6f") -> bytes:
    return head + sequence.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + bytes(size)


def receiver_report(ssrc: int) -> bytes:
    return b"\x80\xc9\x00\x01" + ssrc.to_bytes(4, "big")


class ActiveDtls(DtlsHandshake):
    """Our DTLS in the client's role."""

    def __init__(self, certificate: RTCCertificate, fingerprint: str) -> None:
        super().__init__(certificate, [("sha-256", fingerprint)], lambda _: None)
        self._transport._set_role("client")

    @property
    def association(self) -> RTCDtlsTransport:
        return self._transport


class Wire(asyncio.DatagramProtocol):
    """A socket towards the port; what comes back is kept apart by protocol."""

    def __init__(self) -> None:
        self.queues: dict[Protocol, asyncio.Queue[bytes]] = {p: asyncio.Queue() for p in Protocol}
        self.dtls: ActiveDtls | None = None
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        wire = classify(data)
        if wire is Protocol.DTLS and self.dtls is not None:
            self.dtls.receive(data)
        self.queues[wire].put_nowait(data)

    def send(self, datagram: bytes) -> None:
        self.transport.sendto(datagram)

    async def prove(self, offer: str, answer: str, *, nominate: bool) -> None:
        self.send(ice_check(offer, answer, nominate=nominate))
        reply = stun.parse(await self.queues[Protocol.STUN].get())
        assert reply.kind == stun.BINDING_SUCCESS


class Viewer:
    """A connected viewer, its sink on the other side, and a second, proven, hostile socket."""

    def __init__(
        self, wire: Wire, hostile: Wire, stranger: Wire, sink: RecordingSink, ciphers: Ciphers
    ) -> None:
        self.wire = wire
        self.hostile = hostile
        self.stranger = stranger
        self.sink = sink
        self.ciphers = ciphers
        self.offer = ""
        self.answer = ""
        self.sequence = 0

    async def assert_goes_on(self) -> None:
        """A packet still comes from the server, and a report still reaches it."""
        assert self.sink.link is not None
        assert not self.sink.is_closed.is_set()
        self.sequence += 1
        packet = rtp(self.sequence)
        self.sink.link.send(Batch([Run((packet,))]))
        async with asyncio.timeout(5):
            got = await self.wire.queues[Protocol.RTP].get()
        assert self.ciphers.unprotect(got) == packet

    async def flush(self, wire: Wire) -> None:
        """Until what `wire` has sent is read: a report on the same socket comes after it."""
        self.sequence += 1
        mark = b"\x80\xc9\x00\x02" + pack("!II", 1, self.sequence)
        report = self.ciphers.protect_rtcp(mark)
        assert report is not None
        wire.send(report)
        async with asyncio.timeout(5):
            while mark not in self.sink.rtcp_packets:
                self.sink.got_rtcp.clear()
                await self.sink.got_rtcp.wait()


async def connect(port: int) -> Wire:
    _, wire = await asyncio.get_running_loop().create_datagram_endpoint(
        Wire, remote_addr=("127.0.0.1", port), family=socket.AF_INET
    )
    return wire


def candidate_port(answer: str) -> int:
    return int(attribute(answer, "candidate").split()[5])


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with open_signaling(
        RecordingMedia(STREAM), OneShow(), udp_port=0, tcp_port=0, public_ips=["127.0.0.1"]
    ) as endpoint:
        yield endpoint


@pytest_asyncio.fixture
async def viewer(endpoint: Endpoint) -> AsyncIterator[Viewer]:
    certificate = RTCCertificate.generateCertificate()
    ours = next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")
    captured = chromium("watch")
    offer = captured.replace(attribute(captured, "fingerprint"), f"sha-256 {ours}")
    answer = endpoint.watch(SHOW, offer).sdp
    media = endpoint._media
    assert isinstance(media, RecordingMedia)
    wire, hostile, stranger = [await connect(candidate_port(answer)) for _ in range(3)]
    dtls = wire.dtls = ActiveDtls(
        certificate, attribute(answer, "fingerprint").removeprefix("sha-256 ")
    )
    dtls._send_datagram = wire.send
    keys: asyncio.Queue[Ciphers] = asyncio.Queue()
    async with asyncio.timeout(20):
        await wire.prove(offer, answer, nominate=True)
        await hostile.prove(offer, answer, nominate=False)
        running = asyncio.create_task(dtls.run(keys.put_nowait))
        viewer = Viewer(wire, hostile, stranger, media.sinks[0], await keys.get())
        await viewer.sink.is_connected.wait()
    viewer.offer, viewer.answer = offer, answer
    yield viewer
    dtls.close()
    async with asyncio.timeout(20):
        await running
    for each in (wire, hostile, stranger):
        each.transport.close()


HOSTILE_TEXT = [
    "",
    "v=0",
    "v=0\r\n" * 3_000,
    "\x00" * 100,
    "{}",
    "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF " + "96 " * 20_000,
    "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 17,
    "v=0\r\na=" + "A" * 60_000,
]
SPOILT_OFFERS = [
    ("UDP/TLS/RTP/SAVPF", "RTP/EVIL"),
    ("a=mid:0", "a=mid:" + "9" * 5_000),
    ("a=setup:actpass", "a=setup:passive"),
    ("a=recvonly", "a=inactive"),
    ("BUNDLE 0 1", "BUNDLE " + "0 " * 20_000),
    ("a=rtcp-mux", "a=nothing"),
    ("ice-ufrag:", "ice-ufrag:\u00e9"),
    ("ice-pwd:", "ice-pwd::"),
    ("fingerprint:sha-256", "fingerprint:md5"),
    ("m=audio", "m=video"),
    ("m=audio", "m=" + "x" * 10_000),
    ("H264/90000", "H264/" + "9" * 5_000),
    ("rtpmap:", "rtpmap:" + "9" * 5_000),
    ("m=video ", "m=video " + "9" * 5_000),
]


@pytest.mark.parametrize("role", ["publish", "watch"])
async def test_hostile_sdp(viewer: Viewer, endpoint: Endpoint, role: str) -> None:
    sound = chromium("watch")
    offers = HOSTILE_TEXT + [sound.replace(old, new) for old, new in SPOILT_OFFERS]
    assert len(offers) >= 20
    for offer in offers:
        assert offer != sound
        with pytest.raises(SignalingError):
            getattr(endpoint, role)(SHOW, offer)
    assert len(endpoint) == 1
    await viewer.assert_goes_on()


def hostile_stun(viewer: Viewer) -> list[bytes]:
    good = ice_check(viewer.offer, viewer.answer, nominate=True)
    user = f"{attribute(viewer.answer, 'ice-ufrag')}:{attribute(viewer.offer, 'ice-ufrag')}"
    named = [(stun.USERNAME, user.encode()), (stun.USE_CANDIDATE, b"")]
    head = pack("!HHI", stun.BINDING_REQUEST, 0, stun.MAGIC_COOKIE) + b"transaction!"
    return [
        *(stun.build(kind, b"transaction!", named, b"guess") for kind in (1, 0x11, 0x101, 0x111)),
        stun.build(1, b"transaction!", [(stun.USERNAME, b"\xff" * 500)], b"guess"),
        stun.build(1, b"transaction!", [(stun.USERNAME, user[:-1].encode())], b"guess"),
        stun.build(1, b"transaction!", [*named, (0x7777, b"?")], b"guess"),
        stun.build(1, b"transaction!", [(0x9000, b"")] * 100, b"guess"),
        stun.build(1, b"transaction!", [], b""),
        head,
        head[:-1],
        good[:-1],
        good[:-8],
        good + bytes(4),
        good[:40] + b"\xff\xff" + good[42:],
        good[:2] + b"\xff\xff" + good[4:],
        bytes([good[0], good[1] ^ 1]) + good[2:],
        good[:-20] + bytes([good[-20] ^ 1]) + good[-19:],
        bytes(1_500),
        bytes(2_000),
        *scraps(20, range(4)),
    ]


async def test_hostile_stun(viewer: Viewer) -> None:
    datagrams = hostile_stun(viewer)
    good = ice_check(viewer.offer, viewer.answer, nominate=True)
    assert len(datagrams) >= 20
    assert good not in datagrams
    selected = viewer.sink.link
    for datagram in datagrams:
        viewer.stranger.send(datagram)
        viewer.hostile.send(datagram)
    await viewer.flush(viewer.hostile)
    assert viewer.stranger.queues[Protocol.STUN].empty()
    assert viewer.sink.link is selected
    await viewer.assert_goes_on()


def record(kind: int, body: bytes, *, version: int = 0xFEFD, epoch: int = 0) -> bytes:
    return pack("!BHHIHH", kind, version, epoch, 0, 9, len(body)) + body


HOSTILE_DTLS = [
    record(21, b"\x02\x28"),
    record(21, b"\x01\x00"),
    record(21, b"\x02\x28", epoch=1),
    record(21, b"\x01\x00", epoch=1),
    record(20, b"\x01"),
    record(20, b"\x01", epoch=1),
    record(22, b""),
    record(22, b"\x01" + bytes(11)),
    record(22, b"\x01\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04" + bytes(4)),
    record(22, b"\x01\xff\xff\xff\x00\x00\x00\x00\x00\xff\xff\xff" + bytes(200)),
    record(22, b"\x00" + bytes(11)),
    record(22, b"\x14" + bytes(23)),
    record(22, b"\x0e" + bytes(11), epoch=1),
    record(23, b"plain application data"),
    record(23, b"forged application data", epoch=1),
    record(23, bytes(1_400), epoch=65_535),
    record(24, b"\x01\xff\xff"),
    record(22, b"\x01" * 50, version=0x0303),
    record(22, bytes(40))[:-20],
    record(22, bytes(40)) * 20,
    b"\x16\xfe",
    b"\x3f\x00",
    *scraps(20, range(20, 64)),
]


async def test_hostile_dtls(viewer: Viewer) -> None:
    for datagram in HOSTILE_DTLS:
        viewer.stranger.send(datagram)
        viewer.hostile.send(datagram)
    await viewer.flush(viewer.hostile)
    await viewer.assert_goes_on()
    assert viewer.wire.dtls is not None
    assert viewer.wire.dtls.association.state == "connected"


async def test_hostile_rtp(viewer: Viewer) -> None:
    def protect(packet: bytes) -> bytes:
        return bytes(viewer.ciphers.protect_run(Run((packet,)))[0])

    good = protect(rtp(1, ssrc=5))
    viewer.wire.send(good)
    await viewer.flush(viewer.wire)
    assert viewer.sink.rtp_packets == [rtp(1, ssrc=5)]
    sources = [protect(rtp(1, ssrc=100 + n)) for n in range(SOURCE_LIMIT)]
    hostile = [
        good,
        *(good[:size] for size in (2, 11, 12, 13, len(good) - 1)),
        good + b"x",
        good[:-1] + bytes([good[-1] ^ 1]),
        bytes([good[0] | 0x10]) + good[1:],
        bytes([good[0] | 0x0F]) + good[1:],
        bytes([good[0] | 0x20]) + good[1:],
        good[:2] + b"\xff\xff" + good[4:],
        rtp(9),
        rtp(9, head=b"\x9f\x6f", size=0),
        rtp(9, size=1_990),
        protect(rtp(2, ssrc=5, size=1_340)),
        *scraps(20, range(128, 192)),
    ]
    assert len(hostile) >= 20
    for datagram in [*hostile, *sources]:
        viewer.stranger.send(datagram)
        viewer.hostile.send(datagram)
    await viewer.flush(viewer.hostile)
    ssrcs = {int.from_bytes(packet[8:12], "big") for packet in viewer.sink.rtp_packets}
    assert len(ssrcs) <= SOURCE_LIMIT
    assert ssrcs < {5, *range(100, 100 + SOURCE_LIMIT)}
    assert len(viewer.sink.rtp_packets) == len(ssrcs)
    await viewer.assert_goes_on()


async def test_hostile_rtcp(viewer: Viewer) -> None:
    protect = viewer.ciphers.protect_rtcp
    good = protect(receiver_report(1))
    assert good is not None
    viewer.wire.send(good)
    sources = [protect(receiver_report(100 + n)) for n in range(SOURCE_LIMIT)]
    hostile = [
        good,
        *(good[:size] for size in (2, 4, 7, 8, 12, len(good) - 1)),
        good + b"x",
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:8] + bytes([good[8] ^ 0x80]) + good[9:],
        *(pack("!BBHI", 0x80, kind, 0xFFFF, 1) for kind in range(192, 208)),
        receiver_report(1),
        receiver_report(1) + bytes(1_900),
        *(bytes([0x80, RANDOM.randrange(192, 224)]) + RANDOM.randbytes(60) for _ in range(20)),
    ]
    assert len(hostile) >= 20
    for datagram in [*hostile, *filter(None, sources)]:
        viewer.stranger.send(datagram)
        viewer.hostile.send(datagram)
    await viewer.flush(viewer.hostile)
    ssrcs = {int.from_bytes(packet[4:8], "big") for packet in viewer.sink.rtcp_packets}
    assert len(ssrcs) == SOURCE_LIMIT
    assert ssrcs < {1, *range(100, 100 + SOURCE_LIMIT)}
    await viewer.assert_goes_on()


async def test_what_no_cipher_takes_never_leaves_the_link(viewer: Viewer) -> None:
    link = viewer.sink.link
    assert link is not None
    viewer.sequence = 5_000
    await viewer.assert_goes_on()
    bad = [rtp(1), rtp(5_002, size=1_490), b"", b"short"]
    link.send(Batch([Run(tuple(bad[:2])), Run(tuple(bad[2:])), Run((rtp(5_003),)), Run(())]))
    for packet in (b"", b"\x80\xc9", bytes(1_500)):
        link.send_rtcp(packet)
    got = await viewer.wire.queues[Protocol.RTP].get()
    assert viewer.ciphers.unprotect(got) == rtp(5_003)
    link.close()
    link.send(Batch([Run((rtp(5_004),))]))
    link.send_rtcp(receiver_report(1))
    assert viewer.wire.queues[Protocol.RTP].empty()
