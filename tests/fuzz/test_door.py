"""Strangers at the media port, step by step: they move no peer and get nothing out of it.

The model knows which addresses have proven themselves, and which one was nominated last. Whatever
else comes, media goes there and nowhere else, and no stranger is sent a byte.
"""

import asyncio
from collections.abc import Callable, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling.core import stun
from signaling.endpoint import Endpoint
from signaling.ports import Batch, Run
from signaling.transport import Handshake
from tests.fuzz.spoilt import spoilt
from tests.signaling.doubles import SHOW, OneShow
from tests.signaling.offers import attribute, chromium, ice_check
from tests.signaling.test_endpoint import DTLS, PlainHandshake, Post, Strangers

OFFER = chromium("watch")
PEERS = st.sampled_from(("home", "mobile", "relayed"))
STRANGERS = st.sampled_from(("stranger", "scanner", "reflector"))
MEDIA = b"\x80\x60" + bytes(60)
BLANK = ice_check(OFFER, "a=ice-ufrag:ours\r\na=ice-pwd:theirs", nominate=True)


class Loud(PlainHandshake):
    """Answers each datagram with three times as much, as a certificate chain would."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send

    def receive(self, datagram: bytes) -> None:
        super().receive(datagram)
        self._send(datagram * 3)


class LoudSecure:
    """Makes loud handshakes."""

    fingerprint = "AB"

    def handshake(
        self, fingerprints: Sequence[tuple[str, str]], send: Callable[[bytes], None]
    ) -> Handshake:
        return Loud(send)


class Door(RuleBasedStateMachine):
    """One viewer's session, its own addresses, and strangers."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.media, self.post = Strangers(), Post()
        self.endpoint = Endpoint(self.media, OneShow(), LoudSecure(), list, clock=lambda: 1000.0)
        self.running = self.loop.create_task(self.endpoint.run())
        self._turn()
        answer = self.endpoint.watch(SHOW, OFFER)
        self.session, self.sdp = answer.session, answer.sdp
        self.password = attribute(self.sdp, "ice-pwd").encode()
        self.proven: set[str] = set()
        self.selected: str | None = None
        self._turn()

    def teardown(self) -> None:
        self.running.cancel()
        self.loop.run_until_complete(asyncio.gather(self.running, return_exceptions=True))
        self.loop.close()

    @rule(source=PEERS, nominate=st.booleans())
    def the_peer_proves_an_address(self, source: str, nominate: bool) -> None:
        before = len(self.post.sent.get(source, []))
        self._receive(ice_check(OFFER, self.sdp, nominate=nominate), source)
        assert len(self.post.sent[source]) == before + 1
        self.proven.add(source)
        if nominate or self.selected is None:
            self.selected = source

    @rule(source=PEERS)
    def the_peer_shakes_hands(self, source: str) -> None:
        self._receive(DTLS, source)

    @rule(source=STRANGERS, password=st.binary(max_size=40), nominate=st.booleans())
    def a_stranger_guesses_the_password(self, source: str, password: bytes, nominate: bool) -> None:
        names = [attribute(text, "ice-ufrag") for text in (self.sdp, OFFER)]
        attributes = [(stun.USERNAME, ":".join(names).encode()), (stun.PRIORITY, bytes(4))]
        if nominate:
            attributes.append((stun.USE_CANDIDATE, b""))
        self._receive(
            stun.build(stun.BINDING_REQUEST, b"transaction!", attributes, password), source
        )

    @rule(source=STRANGERS, data=st.data())
    def a_stranger_spoils_a_check(self, source: str, data: st.DataObject) -> None:
        sound = ice_check(OFFER, self.sdp, nominate=True)
        datagram = data.draw(spoilt([sound, BLANK]))
        if not self._is_authentic(datagram):
            self._receive(datagram, source)

    @rule(source=STRANGERS, datagram=st.binary(max_size=200) | st.sampled_from((DTLS, MEDIA)))
    def a_stranger_sends_anything(self, source: str, datagram: bytes) -> None:
        self._receive(datagram, source)

    @rule(source=PEERS, datagram=st.binary(max_size=200))
    def anything_comes_from_an_address_of_the_peer(self, source: str, datagram: bytes) -> None:
        if not self._is_authentic(datagram) and not datagram.endswith(b"broken"):
            self._receive(datagram, source)

    @invariant()
    def strangers_are_sent_nothing(self) -> None:
        for source, sent in self.post.sent.items():
            assert source in self.proven or not sent, f"{source} was sent {len(sent)} datagrams"

    @invariant()
    def strangers_own_nothing(self) -> None:
        for source in ("stranger", "scanner", "reflector"):
            assert not self.endpoint.owns(source)

    @invariant()
    def media_goes_where_the_peer_said(self) -> None:
        link = self.media.sinks[0].link
        if link is None:
            return
        before = {source: len(sent) for source, sent in self.post.sent.items()}
        link.send(Batch([Run((MEDIA,))]))
        after = {source: len(sent) for source, sent in self.post.sent.items()}
        assert [s for s in after if after[s] > before.get(s, 0)] == [self.selected]

    def _receive(self, datagram: bytes, source: str) -> None:
        self.endpoint.receive(datagram, source, self.post, 1000.0)
        self.endpoint.drained(1000.0)
        self._turn()

    def _is_authentic(self, datagram: bytes) -> bool:
        try:
            return stun.parse(datagram).is_authentic(self.password)
        except stun.StunError:
            return False

    def _turn(self) -> None:
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))


TestDoor = Door.TestCase
TestDoor.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
