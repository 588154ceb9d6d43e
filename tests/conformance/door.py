"""A WHIP or WHEP endpoint as a client sees it, and the sessions behind it.

Whatever a test opens is deleted when the test is over.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin

import httpx

from tests.conformance import offers
from tests.conformance.offers import FRAGMENT, SDP, Transport
from tests.conformance.outcomes import NotShown
from tests.conformance.requirements import Protocol
from tests.conformance.sdp import Description

REDIRECTS: Final = 5
FOLLOWED: Final = (307, 308)
UNSUPPORTED: Final = (404, 405, 422, 501)
OVER: Final = (404, 410)
ANSWERED: Final[dict[Protocol, str]] = {"whip": "recvonly", "whep": "sendonly"}


class Session:
    """A session that a 201 began."""

    def __init__(self, door: "Door", created: httpx.Response, transport: Transport) -> None:
        self.created = created
        self.transport = transport
        self.url = urljoin(str(created.url), created.headers.get("location", ""))
        self.etag = created.headers.get("etag", "")
        self.answer = Description(created.text)
        self._door = door

    async def request(
        self,
        method: str,
        content: str = "",
        *,
        if_match: str | None = None,
        media_type: str = FRAGMENT,
        token: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Ask the session's URL; with its own tag as `if_match` when that is "current"."""
        sent = dict(headers)
        if content:
            sent["Content-Type"] = media_type
        if if_match is not None:
            sent["If-Match"] = self.etag if if_match == "current" else if_match
        return await self._door.send(method, self.url, content, sent, token)

    async def trickle(self, *candidates: str, if_match: str | None = "current") -> httpx.Response:
        """PATCH candidates. Raises `NotShown` when the server does not take them."""
        if if_match == "current" and not self.etag:
            if_match = None
        body = offers.fragment(self.transport, *candidates)
        response = await self.request("PATCH", body, if_match=if_match)
        if response.status_code in UNSUPPORTED:
            raise NotShown(f"trickled candidates are answered with {response.status_code}")
        return response

    async def restart(self, transport: Transport, if_match: str = "*") -> httpx.Response:
        """PATCH new credentials. Raises `NotShown` when the server does not restart ICE."""
        response = await self.request("PATCH", offers.fragment(transport), if_match=if_match)
        if response.status_code in UNSUPPORTED:
            raise NotShown(f"an ICE restart is answered with {response.status_code}")
        if response.status_code == 200:
            self.transport = transport
            self.etag = response.headers.get("etag", "")
        return response

    async def delete(self, **headers: str) -> httpx.Response:
        """End it."""
        return await self._door.send("DELETE", self.url, "", headers)

    async def is_over(self) -> bool:
        """Whether its URL leads nowhere any more; a server without GET is asked by PATCH."""
        response = await self.request("GET")
        if response.status_code in (405, 501):
            body = offers.fragment(self.transport)
            response = await self.request("PATCH", body, if_match=self.etag or None)
        return response.status_code in OVER


class Door:
    """An endpoint. `protocol` decides which way media go."""

    def __init__(
        self,
        protocol: Protocol,
        url: str,
        token: str,
        http: httpx.AsyncClient,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.protocol = protocol
        self.url = url
        self.token = token
        self.answered = ANSWERED[protocol]
        self._http = http
        self._headers = dict(headers or {})
        self._sessions: list[str] = []

    async def send(
        self,
        method: str,
        url: str,
        content: str | bytes,
        headers: Mapping[str, str],
        token: str | None = None,
    ) -> httpx.Response:
        """One request, not redirected; `token` instead of the own one, "" for none."""
        bearer = self.token if token is None else token
        sent = {**self._headers, **headers}
        if bearer and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {bearer}"
        return await self._http.request(method, url, content=content or None, headers=sent)

    async def ask(self, method: str, token: str | None = None, **headers: str) -> httpx.Response:
        """Ask the endpoint's own URL something without a body."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send(method, self.url, "", given, token)

    async def post(
        self,
        offer: str | bytes,
        *,
        media_type: str = SDP,
        token: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """POST an offer; follows 307 and 308 as clients shall (§4.5)."""
        url, sent = self.url, {"Content-Type": media_type, **headers}
        for _ in range(REDIRECTS):
            response = await self.send("POST", url, offer, sent, token)
            if response.status_code not in FOLLOWED:
                break
            url = urljoin(url, response.headers["location"])
        if response.status_code == 201 and (location := response.headers.get("location")):
            self._sessions.append(urljoin(url, location))
        return response

    def offer(self, transport: Transport | None = None) -> str:
        """An offer as a browser makes it."""
        return offers.offer(self.protocol, transport or Transport())

    async def open(self, transport: Transport | None = None, offer: str | None = None) -> Session:
        """A session of a good offer, by whose answer something else is judged."""
        transport = transport or Transport()
        response = await self.post(offer or self.offer(transport))
        assert response.status_code == 201, f"an offer was answered with {response.status_code}"
        return Session(self, response, transport)

    async def one_by_one(self, count: int) -> list[Session]:
        """Sessions of which each is over before the next begins: one publisher may be the limit."""
        sessions = []
        for _ in range(count):
            sessions.append(await self.open())
            await self.close()
        return sessions

    async def close(self) -> None:
        """Delete what was opened and may still be there."""
        for url in self._sessions:
            await self.send("DELETE", url, "", {})
        self._sessions.clear()
