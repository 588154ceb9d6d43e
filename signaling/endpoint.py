"""The one media port and the sessions behind it: every datagram finds its peer here.

A session begins when an offer is answered and is found by its ICE user name first, then by the
sources it has proven. Owns the peers' tasks and the sweep that frees vanished peers.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import structlog

from signaling.core import fragment, negotiate, sdp, stun
from signaling.core.answer import Candidate, Local
from signaling.core.demux import Protocol as Wire
from signaling.core.demux import classify
from signaling.core.fragment import Fragment
from signaling.core.ice_lite import IceLite
from signaling.core.ice_session import IceSession
from signaling.errors import NotOnAir, Overloaded, TooManyRequests, UnknownSession
from signaling.peer import Peer, Role
from signaling.ports import Media, Sink
from signaling.transport import Door, Secure, Source

log = structlog.get_logger()

SWEEP_S: Final = 1.0
PENDING_LIMIT: Final = 2_000
"""Answered offers whose peers had not connected at the last sweep, and those answered since;
further offers are refused."""
PENDING_PER_CLIENT: Final = 500
"""The same for the offers of one client: a flood of them shuts out nobody else."""
PENDING_RETRY_S: Final = 5

Permission = Literal["granted", "unknown_show", "unauthorized", "ended"]

Answered = Callable[[stun.Message, Source, Door], None]
"""Hears STUN responses: peers are never asked, so it is a STUN server that answers, or nobody."""


class Gate(Protocol):
    """Who knows shows and keys."""

    async def may_publish(self, show: str, key: str | None) -> Permission:
        """Whether the bearer of this key may publish the show. Raises `TakenOver`."""

    async def show_exists(self, show: str) -> bool:
        """Whether there is such a show."""

    async def origin(self, show: str) -> str | None:
        """The public URL of another node that has the show's publisher, if one has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered offer: the session's id, the tag of its ICE session, and the SDP."""

    session: str
    tag: str
    sdp: str


class Endpoint:
    """All sessions of this node. `run` must be running while it is used."""

    def __init__(
        self,
        media: Media,
        gate: Gate,
        secure: Secure,
        candidates: Callable[[], Sequence[Candidate]],
        clock: Callable[[], float] = time.monotonic,
        answered: Answered = lambda _message, _source, _door: None,
    ) -> None:
        self.gate = gate
        self._media = media
        self._secure = secure
        self._candidates = candidates
        self._clock = clock
        self._answered = answered
        self._peers: dict[str, Peer] = {}
        self._by_ufrag: dict[str, Peer] = {}
        self._by_source: dict[Source, Peer] = {}
        self._heard: set[Peer] = set()
        self._pending: dict[Peer, str] = {}
        self._pending_of: Counter[str] = Counter()
        self._tasks: asyncio.TaskGroup | None = None

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._peers)

    async def run(self) -> None:
        """Own the peers' tasks and sweep vanished peers, until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                while True:
                    await asyncio.sleep(SWEEP_S)
                    self.sweep(self._clock())
        finally:
            for peer in list(self._peers.values()):
                peer.close()

    def sweep(self, now: float) -> None:
        """Let go of the peers that vanished."""
        for peer in [peer for peer in self._peers.values() if peer.expired(now)]:
            peer.close()
        for peer in [peer for peer in self._pending if peer.connected]:
            self._settle(peer)

    def publish(self, show: str, offer: str, client: str = "") -> Answer:
        """Answer the offer of a publisher; `client`: who sent it, "" for one who has no limit.

        Raises a `SignalingError` when it cannot be taken.
        """
        description = sdp.parse(offer)
        remote = negotiate.remote_of(description)
        local = self._local(client)
        answer, publication = negotiate.publish(description, local)
        session = secrets.token_urlsafe(16)
        sink = self._media.publish(show, session, publication)
        self._admit(session, show, "publisher", local, remote, sink, client)
        return Answer(session, local.ufrag, answer)

    def watch(self, show: str, offer: str, client: str = "") -> Answer:
        """Answer a viewer's offer in the same way. Raises a `SignalingError`."""
        description = sdp.parse(offer)
        remote = negotiate.remote_of(description)
        stream = self._media.stream(show)
        if stream is None:
            raise NotOnAir("nobody publishes this show at the moment")
        local = self._local(client)
        answer, subscription = negotiate.watch(description, local, stream)
        session = secrets.token_urlsafe(16)
        sink = self._media.subscribe(show, session, subscription)
        self._admit(session, show, "viewer", local, remote, sink, client)
        return Answer(session, local.ufrag, answer)

    def restart(self, peer: Peer, asked: Fragment) -> str:
        """Begin a new ICE session for a peer (RFC 9725 §4.3.3); the fragment that tells it.

        Media go on as they are until the peer has nominated a source in the new one.
        """
        ufrag, password = _credentials()
        for old in peer.ice.ufrags:
            self._by_ufrag.pop(old, None)
        peer.ice.restart(IceLite(ufrag, password, asked.ufrag, self._clock()))
        for known in peer.ice.ufrags:
            self._by_ufrag[known] = peer
        return fragment.write(ufrag, password, self._candidates(), asked)

    def has_stream(self, show: str) -> bool:
        """Whether viewers of the show can be served here."""
        return self._media.stream(show) is not None

    def find(self, show: str, session: str, role: Role) -> Peer:
        """The peer of a session. Raises `UnknownSession`."""
        peer = self._peers.get(session)
        if peer is None or peer.show != show or peer.role != role:
            raise UnknownSession("there is no such session")
        return peer

    def receive(self, datagram: bytes, source: Source, door: Door, now: float) -> None:
        """A datagram came from `source` through `door`."""
        wire = classify(datagram)
        if wire is Wire.STUN:
            self._check(datagram, source, door, now)
            return
        peer = self._by_source.get(source)
        if peer is None:
            return
        if wire is Wire.RTP:
            peer.rtp(datagram, now)
            self._heard.add(peer)
        elif wire is Wire.RTCP:
            peer.rtcp(datagram, now)
            self._heard.add(peer)
        elif wire is Wire.DTLS:
            peer.dtls(datagram)

    def drained(self, now: float) -> None:
        """The sockets are read empty for this wake-up: let the heard peers' sinks act."""
        heard = self._heard
        self._heard = set()
        for peer in heard:
            if not peer.closed:
                peer.sink.drained(now)

    def forget(self, source: Source) -> None:
        """Nothing will come from this source any more (its connection closed)."""
        peer = self._by_source.pop(source, None)
        if peer is not None:
            peer.ice.forget(source)

    def owns(self, source: Source) -> bool:
        """Whether the source has proven that it belongs to a peer."""
        return source in self._by_source

    def _check(self, datagram: bytes, source: Source, door: Door, now: float) -> None:
        try:
            message = stun.parse(datagram)
        except stun.StunError:
            return
        if message.kind in stun.ANSWERS:
            self._answered(message, source, door)
            return
        peer = self._by_ufrag.get(message.username.partition(":")[0])
        if peer is None:
            return
        ufrags, sources = peer.ice.ufrags, peer.ice.sources
        if peer.check(message, source, door, now):
            self._by_source[source] = peer
        for replaced in ufrags - peer.ice.ufrags:
            self._by_ufrag.pop(replaced, None)
        for left in sources - peer.ice.sources:
            self._release(left, peer)

    def _local(self, client: str) -> Local:
        if len(self._pending) >= PENDING_LIMIT:
            raise Overloaded("too many sessions wait for their connection")
        if client and self._pending_of[client] >= PENDING_PER_CLIENT:
            raise TooManyRequests("too many sessions of this address wait", PENDING_RETRY_S)
        ufrag, password = _credentials()
        return Local(
            session=secrets.randbits(62),
            ufrag=ufrag,
            password=password,
            fingerprint=self._secure.fingerprint,
            candidates=self._candidates(),
        )

    def _admit(
        self,
        session: str,
        show: str,
        role: Role,
        local: Local,
        remote: negotiate.Remote,
        sink: Sink,
        client: str,
    ) -> None:
        assert self._tasks is not None, "run() is not running"
        ice = IceSession(IceLite(local.ufrag, local.password, remote.ufrag, self._clock()))
        peer = Peer(
            session,
            show,
            role,
            ice,
            sink,
            remote.fingerprints,
            self._secure,
            self._forget,
            self._clock,
        )
        self._peers[session] = peer
        self._by_ufrag[local.ufrag] = peer
        self._pending[peer] = client
        self._pending_of[client] += 1
        self._tasks.create_task(_live(peer), name=f"{role} {session[:6]}")

    def _forget(self, peer: Peer) -> None:
        del self._peers[peer.session]
        for ufrag in peer.ice.ufrags:
            self._by_ufrag.pop(ufrag, None)
        self._heard.discard(peer)
        self._settle(peer)
        for source in peer.ice.sources:
            self._release(source, peer)

    def _settle(self, peer: Peer) -> None:
        """It waits for its connection no more."""
        client = self._pending.pop(peer, None)
        if client is not None:
            self._pending_of[client] -= 1
            if not self._pending_of[client]:
                del self._pending_of[client]

    def _release(self, source: Source, peer: Peer) -> None:
        if self._by_source.get(source) is peer:
            del self._by_source[source]


def _credentials() -> tuple[str, str]:
    """A user name fragment and a password that cannot be guessed (RFC 8445 §5.3)."""
    return secrets.token_hex(8), secrets.token_hex(16)


async def _live(peer: Peer) -> None:
    """A peer's whole life; a fault in it ends this peer and nobody else."""
    try:
        await peer.run()
    except Exception:
        log.exception("a peer's session broke", role=peer.role, show=peer.show)
