"""A WHIP and WHEP server that is not Kkot: full ICE and media by aiortc, manners as found around.

It publishes to players by decoding and encoding. It deviates on purpose where servers in use do:
GET is 405, the entity tag has no quotes, PATCH is taken and ignored, session URLs are counted,
a slash too many is a 302, a Link lacks its brackets, errors are bare text, and a player's DELETE
forgets the session but not the connection. A player's offer that it cannot take it counters with
its own (draft-ietf-wish-whep-03 §4.2.2).
"""

import asyncio
from itertools import count
from typing import Final

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole, MediaRelay
from aiortc.exceptions import InvalidStateError, OperationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

SDP: Final = "application/sdp"
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}
DEVIANT: Final = {"ETag": "untagged", "Link": "stun:stun.example.com; rel=ice-server", **CORS}
NO_OFFER: Final = (ValueError, IndexError, KeyError, AssertionError, AttributeError, TypeError)
"""What aiortc's reader raises for what is no description."""


class Foreign:
    """The server; `app` is the ASGI application with /whip and /whep."""

    def __init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/{door}", self._endpoint, methods=["POST", "OPTIONS"]),
                Route("/{door}/", self._elsewhere, methods=["POST"]),
                Route("/{door}/{session}", self._session, methods=["PATCH", "DELETE", "OPTIONS"]),
            ]
        )
        self.app.router.redirect_slashes = False
        self._numbers = count(1)
        self._relay = MediaRelay()
        self._published: list[MediaStreamTrack] = []
        self._connections: dict[str, RTCPeerConnection] = {}
        self._forgotten: list[RTCPeerConnection] = []

    async def close(self) -> None:
        """End every session."""
        for connection in [*self._connections.values(), *self._forgotten]:
            await connection.close()

    async def _endpoint(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=CORS)
        if request.headers.get("content-type", "").lower() != SDP:
            return PlainTextResponse("not a description", 415)
        door = request.path_params["door"]
        if door == "whep" and not self._published:
            return PlainTextResponse("nobody is here", 404)
        offer = (await request.body()).decode("utf-8", "replace")
        connection = self._begin(door)
        try:
            await self._take(connection, door, offer)
        except (OperationError, InvalidStateError):
            return await self._counter(connection, door)
        except NO_OFFER:
            await connection.close()
            return PlainTextResponse("no description", 400)
        return self._told(connection, door, 201)

    async def _elsewhere(self, request: Request) -> Response:
        return RedirectResponse(str(request.url).rstrip("/"), 302)

    async def _session(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=CORS)
        connection = self._connections.get(request.url.path)
        if connection is None:
            return PlainTextResponse("no such session", 404)
        if request.method == "DELETE":
            if request.path_params["door"] == "whep":
                self._forgotten.append(self._connections.pop(request.url.path))
            else:
                await connection.close()
            return Response(status_code=200, headers=CORS)
        if request.headers.get("content-type") == SDP:
            return await self._answered(connection, (await request.body()).decode())
        return Response(status_code=204, headers=CORS)

    async def _answered(self, connection: RTCPeerConnection, answer: str) -> Response:
        try:
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (*NO_OFFER, InvalidStateError):
            return PlainTextResponse("no answer", 400)
        return Response(status_code=204)

    def _begin(self, door: str) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        path = f"/{door}/{next(self._numbers)}"
        connection.__dict__["path"] = path
        self._connections[path] = connection

        @connection.on("connectionstatechange")
        async def changed() -> None:
            if connection.connectionState in ("closed", "failed"):
                self._connections.pop(path, None)
                await connection.close()

        @connection.on("track")
        def published(track: MediaStreamTrack) -> None:
            if door == "whip":
                self._published = [t for t in self._published if t.kind != track.kind]
                self._published.append(track)
                self._drain(connection, track)

        return connection

    def _drain(self, connection: RTCPeerConnection, track: MediaStreamTrack) -> None:
        """Somebody must read a track, or it fills up while nobody watches."""
        sink = MediaBlackhole()
        sink.addTrack(self._relay.subscribe(track, buffered=False))
        task = asyncio.ensure_future(sink.start())
        connection.__dict__.setdefault("sinks", []).append((sink, task))

        @track.on("ended")
        def ended() -> None:
            if track in self._published:
                self._published.remove(track)

    async def _take(self, connection: RTCPeerConnection, door: str, offer: str) -> None:
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if door == "whep":
            self._send_to(connection)
        await connection.setLocalDescription(await connection.createAnswer())

    async def _counter(self, refused: RTCPeerConnection, door: str) -> Response:
        await refused.close()
        if door == "whip":
            return PlainTextResponse("no codec", 400)
        connection = self._begin(door)
        self._send_to(connection, only=True)
        await connection.setLocalDescription(await connection.createOffer())
        return self._told(connection, door, 406)

    def _send_to(self, connection: RTCPeerConnection, *, only: bool = False) -> None:
        for track in self._published:
            copy = self._relay.subscribe(track)
            if only:
                connection.addTransceiver(copy, direction="sendonly")
            else:
                connection.addTrack(copy)

    def _told(self, connection: RTCPeerConnection, door: str, status: int) -> Response:
        headers = {"Location": connection.__dict__["path"], **DEVIANT}
        return Response(connection.localDescription.sdp, status, headers, media_type=SDP)
