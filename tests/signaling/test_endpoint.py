"""Sessions and their sources in virtual time: whose a datagram is, and who hears the end of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from signaling.core.fragment import Fragment
from signaling.core.ice_lite import CONSENT_S
from signaling.endpoint import Endpoint
from signaling.peer import Peer
from signaling.ports import Batch, Link, Publication, Run, Sink, Stream, Subscription
from signaling.transport import Ciphers, Handshake, Path, Source
from tests.signaling.doubles import SHOW, OneShow
from tests.signaling.offers import STREAM, attribute, chromium, ice_check

OFFER = chromium("watch")
RTP, RTCP, DTLS = b"\x80\x60" + bytes(20), b"\x80\xc9" + bytes(20), b"\x16\xfe" + bytes(20)

FORGED = RTCP + b"forged"


class Plain:
    """Ciphers that change nothing, and refuse what is empty."""

    def protect_run(self, run: Run) -> tuple[memoryview, int]:
        return memoryview(b"".join(run.packets)), len(run.packets[0])

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        return packet or None

    def unprotect(self, packet: bytes) -> bytes | None:
        return packet

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        return None if packet == FORGED else packet


class PlainHandshake:
    """Done with the first datagram of DTLS; broken by one that says so."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes | None] = asyncio.Queue()

    def receive(self, datagram: bytes) -> None:
        self.inbox.put_nowait(datagram)

    async def run(self, connected: Callable[[Ciphers], None]) -> None:
        while (datagram := await self.inbox.get()) is not None:
            if datagram.endswith(b"broken"):
                raise RuntimeError("broken")
            connected(Plain())

    def close(self) -> None:
        self.inbox.put_nowait(None)


class PlainSecure:
    fingerprint = "AB"

    def handshake(
        self, fingerprints: Sequence[tuple[str, str]], send: Callable[[bytes], None]
    ) -> Handshake:
        return PlainHandshake()


@dataclass
class Strict:
    """A sink that closes its link when told, and that nothing may be called on after the end."""

    events: list[str] = field(default_factory=list)
    link: Link | None = None
    closes_on: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, event: str) -> None:
        assert "closed" not in self.events, f"{event} after closed"
        self.events.append(event)
        self.changed.set()
        if event == self.closes_on and self.link:
            self.link.close()

    def connected(self, link: Link, now: float) -> None:
        self.link = link
        self._note("connected")

    def rtp(self, packet: bytes, now: float) -> None:
        self._note("rtp")

    def rtcp(self, packet: bytes, now: float) -> None:
        self._note("rtcp")

    def drained(self, now: float) -> None:
        self._note("drained")

    def closed(self, now: float) -> None:
        self._note("closed")

    async def until(self, event: str) -> None:
        async with asyncio.timeout(5):
            while event not in self.events:
                self.changed.clear()
                await self.changed.wait()


class Strangers:
    """Media that keep strict sinks."""

    def __init__(self) -> None:
        self.sinks: list[Strict] = []

    def publish(self, show: str, session: str, publication: Publication) -> Sink:
        raise AssertionError("nobody publishes here")

    def stream(self, show: str) -> Stream | None:
        return STREAM

    def subscribe(self, show: str, session: str, subscription: Subscription) -> Sink:
        self.sinks.append(Strict())
        return self.sinks[-1]


class Post:
    """A door whose paths keep what is sent."""

    def __init__(self) -> None:
        self.sent: dict[Source, list[bytes]] = {}

    def open(self, source: Source) -> Path:
        return Letterbox(self.sent.setdefault(source, []))

    def address(self, source: Source) -> tuple[str, int]:
        return "192.0.2.9", 4000


@dataclass
class Letterbox:
    sent: list[bytes]

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)

    def send_run(self, datagrams: memoryview, size: int) -> None:
        self.sent += [bytes(datagrams[n : n + size]) for n in range(0, len(datagrams), size or 1)]


@dataclass
class House:
    endpoint: Endpoint
    media: Strangers
    door: Post = field(default_factory=Post)
    now: float = 0.0

    def watch(self) -> tuple[str, Strict]:
        """A new session: its answer and its sink."""
        return self.endpoint.watch(SHOW, OFFER).sdp, self.media.sinks[-1]

    def peer(self) -> Peer:
        (peer,) = self.endpoint._peers.values()
        return peer

    def receive(self, datagram: bytes, source: str) -> None:
        self.endpoint.receive(datagram, source, self.door, self.now)

    def prove(self, answer: str, source: str, *, nominate: bool = True) -> None:
        self.receive(ice_check(OFFER, answer, nominate=nominate), source)
        assert self.endpoint.owns(source)

    async def connect(self, source: str) -> tuple[str, Strict]:
        answer, sink = self.watch()
        self.prove(answer, source)
        self.receive(DTLS, source)
        await sink.until("connected")
        return answer, sink


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    media = Strangers()
    began = asyncio.Event()
    endpoint = Endpoint(media, OneShow(), PlainSecure(), list, lambda: here.now)
    here = House(endpoint, media)

    async def run() -> None:
        began.set()
        await endpoint.run()

    running = asyncio.create_task(run())
    await began.wait()
    yield here
    running.cancel()
    await asyncio.wait([running])
    assert len(endpoint) == 0


async def test_only_a_proven_source_is_heard(house: House) -> None:
    _, sink = await house.connect("phone")
    for datagram in (RTP, RTCP, DTLS, b"\xff\xff", b""):
        house.receive(datagram, "stranger")
    house.receive(RTP, "phone")
    house.receive(RTCP, "phone")
    house.endpoint.drained(0.0)
    house.endpoint.drained(0.0)
    assert sink.events == ["connected", "rtp", "rtcp", "drained"]


@pytest.mark.parametrize("event", ["connected", "rtp", "rtcp", "drained"])
async def test_nothing_follows_the_end_whenever_it_comes(house: House, event: str) -> None:
    answer, sink = house.watch()
    sink.closes_on = event
    house.prove(answer, "phone")
    house.receive(DTLS, "phone")
    await sink.until("connected")
    for datagram in (RTP, RTCP, RTP):
        house.receive(datagram, "phone")
    house.endpoint.drained(0.0)
    house.receive(RTP, "phone")
    house.endpoint.drained(0.0)
    assert sink.events[-2:] == [event, "closed"]
    assert not house.endpoint.owns("phone")


async def test_one_sinks_end_during_drained_is_not_anothers_surprise(house: House) -> None:
    sinks = [(await house.connect(source))[1] for source in ("one", "two")]
    links = [sink.link for sink in sinks]
    for sink, other in zip(sinks, reversed(links), strict=True):
        sink.closes_on, sink.link = "drained", other
    house.receive(RTP, "one")
    house.receive(RTP, "two")
    house.endpoint.drained(0.0)
    assert sorted(sink.events[-1] for sink in sinks) == ["closed", "drained"]


async def test_an_old_session_cannot_take_a_source_from_its_successor(house: House) -> None:
    _, old = await house.connect("phone")
    house.now = 10.0
    _, new = await house.connect("phone")
    house.endpoint.sweep(CONSENT_S + 1)
    assert old.events[-1] == "closed"
    assert house.endpoint.owns("phone")
    house.receive(RTP, "phone")
    assert new.events == ["connected", "rtp"]


async def test_who_sends_no_more_checks_stays_for_its_reports(house: House) -> None:
    _, sink = await house.connect("phone")
    for house.now in (CONSENT_S - 1, 2 * CONSENT_S - 2):
        house.receive(RTCP, "phone")
        house.endpoint.sweep(house.now)
    house.receive(RTCP, "stranger")
    house.now = 3 * CONSENT_S - 2.5
    house.receive(FORGED, "phone")
    house.receive(RTP, "phone")
    assert "closed" not in sink.events
    house.endpoint.sweep(3 * CONSENT_S - 1)
    assert sink.events == ["connected", "rtcp", "rtcp", "rtp", "closed"]


async def test_media_follow_the_nominated_source(house: House) -> None:
    answer, sink = await house.connect("wifi")
    house.prove(answer, "lte", nominate=False)
    assert sink.link is not None
    sink.link.send(Batch([Run((b"1",))]))
    house.prove(answer, "lte")
    sink.link.send(Batch([Run((b"2",)), Run((b"",)), Run((b"3",))]))
    sink.link.send_rtcp(b"4")
    sink.link.send_rtcp(b"")
    assert house.door.sent["wifi"][1:] == [b"1"]
    assert house.door.sent["lte"][2:] == [b"2", b"3", b"4"]


async def test_a_restart_moves_media_once_the_peer_has_nominated(house: House) -> None:
    answer, sink = await house.connect("wifi")
    peer = house.peer()
    fragment = house.endpoint.restart(peer, Fragment("fresh", "p" * 24, 1, "", ""))
    renewed = OFFER.replace(attribute(OFFER, "ice-ufrag"), "fresh")
    house.prove(answer, "wifi")
    house.receive(RTP, "wifi")
    house.receive(ice_check(OFFER, fragment, nominate=True), "stranger")
    assert not house.endpoint.owns("stranger")
    house.receive(ice_check(renewed, fragment, nominate=True), "lte")
    house.receive(RTP, "lte")
    house.receive(RTP, "wifi")
    assert sink.events == ["connected", "rtp", "rtp"]
    assert sink.link is not None
    sink.link.send(Batch([Run((b"1",))]))
    assert house.door.sent["lte"][-1] == b"1"
    house.receive(ice_check(OFFER, answer, nominate=True), "late")
    assert not house.endpoint.owns("late")
    sink.link.close()
    assert house.endpoint._by_ufrag == {}
    assert house.endpoint._by_source == {}


async def test_a_restart_that_is_never_finished_ends_nothing(house: House) -> None:
    answer, sink = await house.connect("wifi")
    for turn in range(3):
        house.endpoint.restart(house.peer(), Fragment(f"fresh{turn}", "p" * 24, 1, "", ""))
    assert len(house.endpoint._by_ufrag) == 2
    house.now = CONSENT_S - 1
    house.prove(answer, "wifi")
    house.now = 2 * CONSENT_S - 2
    house.endpoint.sweep(house.now)
    assert sink.events == ["connected"]
    house.endpoint.sweep(house.now + 2)
    assert sink.events == ["connected", "closed"]
    assert house.endpoint._by_ufrag == {}


async def test_a_closed_link_sends_nothing(house: House) -> None:
    answer, sink = await house.connect("phone")
    sent = len(house.door.sent["phone"])
    assert sink.link is not None
    sink.link.close()
    sink.link.close()
    sink.link.send(Batch([Run((b"1",))]))
    sink.link.send_rtcp(b"2")
    house.receive(ice_check(OFFER, answer, nominate=True), "phone")
    assert len(house.door.sent["phone"]) == sent
    assert sink.events.count("closed") == 1


async def test_a_fault_in_one_session_ends_that_one_only(house: House) -> None:
    _, well = await house.connect("well")
    answer, ill = house.watch()
    house.prove(answer, "ill")
    house.receive(b"\x16\xfe broken", "ill")
    await ill.until("closed")
    house.receive(RTP, "well")
    assert well.events == ["connected", "rtp"]
    assert len(house.endpoint) == 1


async def test_a_connection_that_is_lost_is_forgotten(house: House) -> None:
    answer, _ = await house.connect("tcp")
    house.endpoint.forget("tcp")
    house.endpoint.forget("never seen")
    assert not house.endpoint.owns("tcp")
    house.prove(answer, "tcp again")
