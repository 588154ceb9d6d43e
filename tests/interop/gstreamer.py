"""A WHIP publisher and a WHEP viewer on GStreamer's webrtcbin, which shakes hands through libnice.

A program for the system's Python, which has GStreamer's bindings; what it is asked and what it
tells: see foreign.py. It publishes the `codec` it is asked for, H264 or VP8, and decodes whatever
it watches.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402  (versions come first)

TELL_EVERY_MS: Final = 100
ENCODERS: Final = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=60 ! rtpvp8pay picture-id-mode=15-bit",
    "H264": "openh264enc gop-size=60 ! h264parse config-interval=-1 ! rtph264pay aggregate-mode=1",
}
PUBLISHER: Final = """
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball background-color=0xffa0c0e0
  ! video/x-raw,width=320,height=180,framerate=30/1
  ! {encoder} pt=96 ! application/x-rtp,media=video,encoding-name={codec},payload=96 ! peer.
audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! peer.
"""
WATCHED: Final = (
    "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000;"
    "application/x-rtp,media=video,encoding-name=H264,payload=98,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
    "encoding-params=(string)2",
)
telling: Final = threading.Lock()


class Peer:
    """One pipeline with one webrtcbin, one session at the server."""

    def __init__(self, asked: dict[str, str]) -> None:
        self.asked = asked
        self.session = ""
        self.seen = {"video": {"frames": 0}, "audio": {"frames": 0}}
        self.loop = GLib.MainLoop()
        self.pipeline = self._publisher() if asked["role"] == "publish" else self._viewer()
        self.webrtc = self.pipeline.get_by_name("peer")
        self._settle()

    def run(self) -> None:
        """Connect, go on until the standard input ends, and hang up."""
        threading.Thread(target=self._stop_at_end_of_input, daemon=True).start()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        tell(deleted=self._request("DELETE", self.session).status)

    def _publisher(self) -> Any:
        codec = self.asked["codec"]
        return Gst.parse_launch(PUBLISHER.format(encoder=ENCODERS[codec], codec=codec))

    def _viewer(self) -> Any:
        pipeline, peer = Gst.Pipeline(), Gst.ElementFactory.make("webrtcbin", "peer")
        peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(peer)
        for caps in WATCHED:
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
        peer.connect("pad-added", self._decode)
        GLib.timeout_add(TELL_EVERY_MS, self._tell_what_was_seen)
        return pipeline

    def _settle(self) -> None:
        """One direction, repairs by RTX, loopback addresses too."""
        publishes = self.asked["role"] == "publish"
        directions = GstWebRTC.WebRTCRTPTransceiverDirection
        for number in range(2):
            transceiver = self.webrtc.emit("get-transceiver", number)
            transceiver.set_property("do-nack", True)
            wanted = directions.SENDONLY if publishes else directions.RECVONLY
            transceiver.set_property("direction", wanted)
        self.agent = self.webrtc.get_property("ice-agent")
        self.agent.emit("add-local-ip-address", "127.0.0.1")
        self.webrtc.connect("on-negotiation-needed", self._offer)
        self.webrtc.connect("notify::ice-gathering-state", self._gathered)
        self.webrtc.connect("notify::connection-state", self._changed)

    def _offer(self, webrtc: Any) -> None:
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # the offer is a part of it and lives as long
        self.webrtc.emit("set-local-description", reply.get_value("offer"), None)

    def _gathered(self, webrtc: Any, _: object) -> None:
        if webrtc.get_property("ice-gathering-state").value_nick == "complete":
            GLib.idle_add(self._post)

    def _post(self) -> bool:
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        response = self._request("POST", self.asked["url"], offer)
        answer = response.read().decode()
        tell(offer=offer, answer=answer, status=response.status)
        self.session = urljoin(self.asked["url"], response.headers["Location"])
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message
        )
        self.webrtc.emit("set-remote-description", description, None)
        return False

    def _changed(self, webrtc: Any, _: object) -> None:
        tell(state=webrtc.get_property("connection-state").value_nick)

    def _decode(self, _: object, pad: Any) -> None:
        """What comes is decoded, and counted where it would be shown."""
        decoder = Gst.ElementFactory.make("decodebin")
        decoder.connect("pad-added", self._count)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def _count(self, _: object, pad: Any) -> None:
        seen = self.seen[pad.get_current_caps().get_structure(0).get_name().partition("/")[0]]
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", lambda *_: seen.update(frames=seen["frames"] + 1))
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _tell_what_was_seen(self) -> bool:
        tell(**self.seen)
        return True

    def _request(self, method: str, url: str, body: str | None = None) -> Any:
        headers = {"Content-Type": "application/sdp"} if body else {}
        if "key" in self.asked:
            headers["Authorization"] = f"Bearer {self.asked['key']}"
        data = body.encode() if body else None
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as refused:
            return refused

    def _stop_at_end_of_input(self) -> None:
        sys.stdin.read()
        self.loop.quit()


def tell(**facts: object) -> None:
    """One line of JSON, whole: several threads tell."""
    with telling:
        print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    Gst.init(None)
    Peer(json.loads(sys.argv[1])).run()
