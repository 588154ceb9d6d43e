"""What other nodes are asked for: the media of a show whose publisher is there.

A browser would leave its cookie, and HTTP clients their token, behind on the way to another host,
so a redirect would be refused there. The node asks instead, in the name of the person who asked it,
and that node judges the person again. It is asked of itself alone, so that two that take each other
for the show's node do not ask each other for ever.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
import msgspec

from live.relay.adapters.routes import Media
from live.relay.errors import NodeSilentError

PATIENCE_S: Final = 3.0
"""How long a node may take for the whole answer; then it counts as silent."""
ANSWER_BYTES: Final = 1 << 20
"""A longer answer is none of a node's: it is not read to its end."""


class Neighbours:
    """Asks by `http`. `vouch`: a token that any node takes for this person."""

    def __init__(
        self, http: httpx.AsyncClient, vouch: Callable[[str], str], patience_s: float = PATIENCE_S
    ) -> None:
        self._http = http
        self._vouch = vouch
        self._patience_s = patience_s

    async def media(self, node: str, person: str, show: str) -> Media:
        """What the node at this URL tells of a show. Raises `NodeSilentError`."""
        try:
            async with asyncio.timeout(self._patience_s):
                body = await self._read(f"{node}/shows/{show}/media", self._vouch(person))
            return msgspec.json.decode(body, type=Media)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, msgspec.MsgspecError):
            raise NodeSilentError("The node that has this show does not answer.") from None

    async def _read(self, url: str, token: str) -> bytes:
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        asked = {"here": "true"}
        async with self._http.stream("GET", url, params=asked, headers=headers) as answer:
            answer.raise_for_status()
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > ANSWER_BYTES:
                    raise httpx.DecodingError("the answer is too long")
            return bytes(body)
