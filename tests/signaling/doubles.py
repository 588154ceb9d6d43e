"""Stand-ins for the houses next door: a gate that knows one show, media that record."""

import asyncio
from dataclasses import dataclass, field

from signaling.endpoint import Permission
from signaling.ports import Link, Publication, Sink, Stream, Subscription

SHOW = "show-1"
KEY = "publish-key"


class OneShow:
    """A gate that knows `SHOW`, its `KEY` and, when told, another node that has it."""

    def __init__(self) -> None:
        self.elsewhere: str | None = None
        self.over = False

    async def may_publish(self, show: str, key: str | None) -> Permission:
        if show != SHOW:
            return "unknown_show"
        if key != KEY:
            return "unauthorized"
        return "ended" if self.over else "granted"

    async def show_exists(self, show: str) -> bool:
        return show == SHOW

    async def origin(self, show: str) -> str | None:
        return self.elsewhere


@dataclass
class RecordingSink:
    """Keeps what a session did."""

    link: Link | None = None
    rtp_packets: list[bytes] = field(default_factory=list)
    rtcp_packets: list[bytes] = field(default_factory=list)
    is_connected: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
    got_rtp: asyncio.Event = field(default_factory=asyncio.Event)
    got_rtcp: asyncio.Event = field(default_factory=asyncio.Event)

    def connected(self, link: Link, now: float) -> None:
        self.link = link
        self.is_connected.set()

    def rtp(self, packet: bytes, now: float) -> None:
        self.rtp_packets.append(packet)

    def rtcp(self, packet: bytes, now: float) -> None:
        self.rtcp_packets.append(packet)
        self.got_rtcp.set()

    def drained(self, now: float) -> None:
        if self.rtp_packets:
            self.got_rtp.set()

    def closed(self, now: float) -> None:
        self.is_closed.set()


class RecordingMedia:
    """Media that accept everybody and keep the sinks."""

    def __init__(self, stream: Stream | None = None) -> None:
        self.current = stream
        self.publications: list[Publication] = []
        self.subscriptions: list[Subscription] = []
        self.sinks: list[RecordingSink] = []

    def publish(self, show: str, session: str, publication: Publication) -> Sink:
        self.publications.append(publication)
        return self._sink()

    def stream(self, show: str) -> Stream | None:
        return self.current

    def subscribe(self, show: str, session: str, subscription: Subscription) -> Sink:
        self.subscriptions.append(subscription)
        return self._sink()

    def _sink(self) -> RecordingSink:
        self.sinks.append(RecordingSink())
        return self.sinks[-1]
