"""The demo host: a WHIP client that publishes the generated show and comes back when cut off."""

import asyncio
import ssl
from contextlib import suppress
from typing import Final

import httpx
import structlog
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from live.demo.tracks import PictureTrack, ToneTrack

log = structlog.get_logger()

CONNECT_TIMEOUT_S: Final = 15.0
RETRY_S: Final = 1.0
FINAL_STATUSES: Final = frozenset({401, 404, 409})


class RefusedError(Exception):
    """The server does not want this publisher; trying again would not help."""


async def publish_demo(url: str, show: str, key: str, trust: ssl.SSLContext | bool = True) -> None:
    """Publish to the show on the server at `url` with its publish key until cancelled.

    `trust`: the certificates to trust, as httpx has it.
    Raises `RefusedError` when the key is wrong, the show unknown, or it has ended.
    """
    async with httpx.AsyncClient(base_url=url, verify=trust, timeout=CONNECT_TIMEOUT_S) as client:
        while True:
            try:
                await _publish_once(client, show, key)
            except (httpx.HTTPError, TimeoutError) as error:
                log.warning("demo host is cut off, trying again", error=repr(error))
            await asyncio.sleep(RETRY_S)


async def _publish_once(client: httpx.AsyncClient, show: str, key: str) -> None:
    """One session, from the offer until the connection is lost."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    session = None
    try:
        _add_tracks(peer)
        await peer.setLocalDescription(await peer.createOffer())
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
        offer = peer.localDescription.sdp
        response = await client.post(f"/whip/{show}", content=offer, headers=headers)
        if response.status_code in FINAL_STATUSES:
            raise RefusedError(f"{response.status_code}: {response.text}")
        response.raise_for_status()
        session = response.headers["location"]
        await peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        await _until_lost(peer, show)
    finally:
        await peer.close()
        if session is not None:
            with suppress(httpx.HTTPError):  # a server that is gone must not hide a cancellation
                await client.delete(session)


def _add_tracks(peer: RTCPeerConnection) -> None:
    video = peer.addTransceiver(PictureTrack(), "sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in codecs if c.mimeType in ("video/H264", "video/rtx")])
    peer.addTransceiver(ToneTrack(), "sendonly")


async def _until_lost(peer: RTCPeerConnection, show: str) -> None:
    changed = asyncio.Event()
    peer.add_listener("connectionstatechange", changed.set)
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        while peer.connectionState != "connected":
            await changed.wait()
            changed.clear()
    log.info("demo host is on air", show=show)
    while peer.connectionState == "connected":
        await changed.wait()
        changed.clear()
