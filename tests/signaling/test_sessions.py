"""Real peers (aiortc) against the real port: connect, send, receive, leave, vanish."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame

from signaling.adapters.service import open_signaling
from signaling.endpoint import Endpoint
from signaling.ports import Batch, Codec, Run, Stream, StreamTrack
from tests.signaling.doubles import SHOW, OneShow, RecordingMedia

OPUS = StreamTrack("audio", Codec("opus", 48_000, 111, None, {}), 1234, None)
STREAM = Stream("kkot", (OPUS,))


@dataclass
class Port:
    endpoint: Endpoint
    media: RecordingMedia


@pytest_asyncio.fixture
async def port() -> AsyncIterator[Port]:
    media = RecordingMedia(STREAM)
    async with open_signaling(media, OneShow(), udp_port=0, tcp_port=0) as endpoint:
        yield Port(endpoint, media)


async def publish(port: Port) -> RTCPeerConnection:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver(AudioStreamTrack(), "sendonly")
    await client.setLocalDescription(await client.createOffer())
    answer = port.endpoint.publish(SHOW, client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    return client


async def watch(port: Port) -> RTCPeerConnection:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("audio", "recvonly")
    await client.setLocalDescription(await client.createOffer())
    answer = port.endpoint.watch(SHOW, client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    return client


async def test_publisher_is_heard(port: Port) -> None:
    client = await publish(port)
    sink = port.media.sinks[0]
    async with asyncio.timeout(20):
        await sink.got_rtp.wait()
    assert sink.rtp_packets[0][0] >> 6 == 2
    assert len(sink.rtp_packets[0]) > 12
    await client.close()
    async with asyncio.timeout(20):
        await sink.is_closed.wait()
    assert len(port.endpoint) == 0


async def test_viewer_hears(port: Port) -> None:
    client = await watch(port)
    sink = port.media.sinks[0]
    async with asyncio.timeout(20):
        await sink.is_connected.wait()
    pt = port.media.subscriptions[0].audio
    assert pt is not None
    assert sink.link is not None
    packets = [
        bytes([0x80, pt, 0, n, 0, 0, n, 0]) + (1234).to_bytes(4, "big") + b"\xfc" * 40
        for n in range(40)
    ]
    track = client.getReceivers()[0].track
    sink.link.send(Batch([Run(tuple(packets[:20])), Run(tuple(packets[20:]))]))
    async with asyncio.timeout(20):
        frame = await track.recv()
    assert isinstance(frame, AudioFrame)
    assert frame.sample_rate == 48_000
    await client.close()


async def test_link_close_ends_the_session_at_the_peer(port: Port) -> None:
    client = await watch(port)
    gone = asyncio.Event()

    @client.on("connectionstatechange")
    def _on_change() -> None:
        if client.connectionState == "closed":
            gone.set()

    sink = port.media.sinks[0]
    async with asyncio.timeout(20):
        await sink.is_connected.wait()
        assert sink.link is not None
        sink.link.close()
        await gone.wait()
    assert sink.is_closed.is_set()
    assert len(port.endpoint) == 0


async def test_vanished_peer_is_freed_within_30_s(port: Port) -> None:
    client = await watch(port)
    sink = port.media.sinks[0]
    async with asyncio.timeout(20):
        await sink.is_connected.wait()
    now = asyncio.get_running_loop().time()
    port.endpoint.sweep(now + 20)
    assert not sink.is_closed.is_set()
    port.endpoint.sweep(now + 29)
    assert sink.is_closed.is_set()
    await client.close()


async def test_offer_without_a_peer_is_let_go(port: Port) -> None:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("audio", "recvonly")
    await client.setLocalDescription(await client.createOffer())
    port.endpoint.watch(SHOW, client.localDescription.sdp)
    port.endpoint.sweep(asyncio.get_running_loop().time() + 31)
    assert len(port.endpoint) == 0
    await client.close()
