"""Offers as browsers and encoders make them, and any others put together of the same parts."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.core import negotiate, sdp
from signaling.errors import UnacceptableOffer
from signaling.ports import Codec, Publication, Stream, StreamTrack, Track
from tests.signaling.answers import assert_readable, assert_sound
from tests.signaling.offers import LOCAL, OPUS, offer

PUBLISHERS: Final = {
    "chromium_publish": ("H264", 108, 109, 0),
    "chromium_publish_simulcast": ("H264", 108, 109, 3),
    "firefox_publish": ("VP8", 120, 124, 0),
    "firefox_publish_simulcast": ("VP8", 120, 124, 3),
    "safari_publish": ("H264", 98, 99, 0),
    "libdatachannel_publish": ("H264", 96, None, 0),
    "obs_publish_simulcast": ("H264", 96, 97, 3),
}
"""Which codec is taken of each: its name, payload type, that of its repairs; how many layers."""
VIEWERS: Final = ("chromium_watch", "firefox_watch", "safari_watch")


def publish(text: str) -> tuple[str, Publication]:
    return negotiate.publish(sdp.parse(text), LOCAL)


def show(video: str, **parameters: str) -> Stream:
    """A show whose picture is sent in this codec."""
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    codec = Codec(video, 90_000, 96, 97, named)
    tracks = StreamTrack("video", codec, 1111, 2222), StreamTrack("audio", OPUS, 3333, None)
    return Stream("kkot", tracks)


@pytest.mark.parametrize("name", PUBLISHERS)
def test_publishers(name: str) -> None:
    answer, publication = publish(offer(name))
    assert_sound(offer(name), answer, {"recvonly"})
    assert_readable(answer)
    by_kind: dict[str, Track] = {track.kind: track for track in publication.tracks}
    video, audio = by_kind["video"], by_kind["audio"]
    codec = video.codec
    taken = (codec.name, codec.payload_type, codec.rtx_payload_type, len(video.layers))
    assert taken == PUBLISHERS[name]
    assert (audio.codec.name, audio.codec.parameters["useinbandfec"]) == ("opus", "1")
    assert (audio.codec.red_payload_type == 63) == name.startswith(("chromium", "safari"))
    assert (video.nack, video.pli) == (True, True)
    assert video.twcc != video.remb
    assert (video.rid_id is not None) == bool(video.layers)


def test_layers_as_firefox_offers_them() -> None:
    answer, publication = publish(offer("firefox_publish_simulcast"))
    video = publication.tracks[-1]
    assert (video.mid_id, video.rid_id, video.repaired_rid_id) == (3, 9, 10)
    assert "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n" in answer
    assert video.layers == ("l", "m", "h")


def test_layers_as_obs_offers_them() -> None:
    video = publish(offer("obs_publish_simulcast"))[1].tracks[-1]
    assert (video.layers, video.rid_id, video.repaired_rid_id) == (("0", "1", "2"), 2, None)
    assert (video.remb, video.twcc, video.abs_send_time_id) == (True, False, None)


@pytest.mark.parametrize(
    ("name", "codec"), [("gstreamer_publish_vp8", "VP8"), ("gstreamer_publish_h264", "H264")]
)
def test_webrtcbin_has_no_estimate_of_its_own_and_repairs_sound_too(name: str, codec: str) -> None:
    answer, publication = publish(offer(name))
    assert_sound(offer(name), answer, {"recvonly"})
    assert_readable(answer)
    video, audio = publication.tracks
    assert (video.codec.name, video.codec.rtx_payload_type) == (codec, 97)
    assert (audio.codec.name, audio.codec.rtx_payload_type, audio.nack) == ("opus", 98, True)
    assert None not in (video.ssrc, video.rtx_ssrc, audio.ssrc, audio.rtx_ssrc)
    assert (video.nack, video.pli, video.fir) == (True, True, False)
    assert (video.twcc, video.remb) == (False, False)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "gstreamer_publish_h264",
            {
                "a=fmtp:96 packetization-mode=1;profile-level-id=42c033;level-asymmetry-allowed=1;"
                "in-band-parameter-sets=1",
                "a=fmtp:111 useinbandfec=1",
            },
        ),
        (
            "libdatachannel_publish",
            {
                "a=fmtp:96 profile-level-id=42e033;packetization-mode=1;level-asymmetry-allowed=1",
                "a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;useinbandfec=1",
            },
        ),
    ],
)
def test_an_answer_tells_of_our_side_not_of_the_senders(name: str, lines: set[str]) -> None:
    assert "sprop-" in offer(name)
    answer, _ = publish(offer(name))
    assert lines <= set(answer.split("\r\n"))


def test_what_a_viewer_would_send_is_not_said_of_what_it_gets() -> None:
    watching = offer("libdatachannel_watch")
    assert "sprop-stereo=1" in watching
    stream = show("H264", packetization_mode="1", profile_level_id="42e01f")
    answer, _ = negotiate.watch(sdp.parse(watching), LOCAL, stream)
    assert_sound(watching, answer, {"sendonly"})
    assert "a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;useinbandfec=1\r\n" in answer
    assert "profile-level-id=42e01f" in answer


@pytest.mark.parametrize(
    ("name", "codec", "payload_type", "rtx", "remb"),
    [
        ("gstreamer_watch", "VP8", 96, 97, False),
        ("gstreamer_watch", "H264", 98, None, False),
        ("libdatachannel_watch", "VP8", 97, None, True),
        ("libdatachannel_watch", "H264", 96, None, True),
    ],
)
def test_viewers_that_are_no_browsers(
    name: str, codec: str, payload_type: int, rtx: int | None, remb: bool
) -> None:
    stream = show(codec, packetization_mode="1", profile_level_id="42e01f")
    answer, subscription = negotiate.watch(sdp.parse(offer(name)), LOCAL, stream)
    assert_sound(offer(name), answer, {"sendonly"})
    assert_readable(answer)
    assert (subscription.video, subscription.rtx) == (payload_type, rtx)
    assert (subscription.remb, subscription.abs_send_time) == (remb, None)
    assert ("a=ssrc-group:FID 1111 2222" in answer) == (rtx is not None)
    assert ("a=ssrc:2222" in answer) == (rtx is not None)


PLAYS: Final = [
    ("chromium_watch", show("H264", profile_level_id="42e01f", packetization_mode="1"), 108),
    ("chromium_watch", show("VP8"), 96),
    ("chromium_watch", show("VP9", profile_id="0"), 98),
    ("chromium_watch", show("VP9", profile_id="2"), 100),
    ("chromium_watch", show("AV1", profile="0", level_idx="5"), 45),
    ("firefox_watch", show("VP8"), 120),
    ("firefox_watch", show("VP9"), 121),
    ("firefox_watch", show("AV1"), 99),
    ("safari_watch", show("H264", profile_level_id="42e01f", packetization_mode="1"), 98),
    ("safari_watch", show("H264", profile_level_id="640c1f", packetization_mode="1"), 96),
    ("safari_watch", show("H265", level_id="93", tx_mode="SRST"), 104),
    ("safari_watch", show("VP9", profile_id="2"), 110),
]


@pytest.mark.parametrize(("name", "stream", "payload_type"), PLAYS)
def test_viewers(name: str, stream: Stream, payload_type: int) -> None:
    answer, subscription = negotiate.watch(sdp.parse(offer(name)), LOCAL, stream)
    assert_sound(offer(name), answer, {"sendonly"})
    assert_readable(answer)
    assert subscription.video == payload_type
    assert subscription.rtx is not None
    assert subscription.remb
    assert subscription.abs_send_time is not None
    assert "transport-cc" not in answer


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("safari_watch", show("AV1")),
        ("chromium_watch", show("H265")),
        ("firefox_watch", show("H264", profile_level_id="42e01f")),
        ("firefox_watch", show("VP9", profile_id="2")),
    ],
)
def test_viewers_that_cannot_play_a_show(name: str, stream: Stream) -> None:
    with pytest.raises(UnacceptableOffer, match="which was not offered"):
        negotiate.watch(sdp.parse(offer(name)), LOCAL, stream)


VIDEO: Final = (
    "H264/90000 packetization-mode=1;profile-level-id=42e01f",
    "H264/90000 packetization-mode=0;profile-level-id=42e01f",
    "H264/90000 packetization-mode=1;profile-level-id=640c1f",
    *("VP8/90000", "VP9/90000", "VP9/90000 profile-id=2", "AV1/90000 profile=0;level-idx=5"),
    *("H265/90000 level-id=93;tx-mode=SRST", "red/90000", "ulpfec/90000"),
)
AUDIO: Final = ("opus/48000/2 minptime=10", "PCMU/8000", "telephone-event/48000")
FEEDBACK: Final = ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")
EXTENSIONS: Final = (
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    *(f"urn:ietf:params:rtp-hdrext:sdes:{n}" for n in ("mid", "rtp-stream-id")),
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:toffset",
)


@st.composite
def formats(draw: st.DrawFn, menu: tuple[str, ...], free: list[int]) -> tuple[list[int], list[str]]:
    """Payload types out of `free` and what is told of them; the first of the menu is among them."""
    others = draw(st.lists(st.sampled_from(menu[1:]), unique=True, max_size=6))
    listed, lines = [], []
    at = draw(st.integers(0, len(others)))
    for text in (*others[:at], menu[0], *others[at:]):
        listed.append(number := free.pop())
        encoding, _, parameters = text.partition(" ")
        lines.append(f"a=rtpmap:{number} {encoding}")
        lines += [f"a=fmtp:{number} {parameters}"] if parameters else []
        kinds = draw(st.lists(st.sampled_from(FEEDBACK), unique=True))
        lines += [f"a=rtcp-fb:{draw(st.sampled_from(('*', number)))} {kind}" for kind in kinds]
        if draw(st.booleans()):
            listed.append(repairs := free.pop())
            clock = encoding.split("/")[1]
            lines += [f"a=rtpmap:{repairs} rtx/{clock}", f"a=fmtp:{repairs} apt={number}"]
        if draw(st.booleans()):
            listed.insert(0, redundant := free.pop())
            lines += [f"a=rtpmap:{redundant} red/48000/2", f"a=fmtp:{redundant} {number}/{number}"]
    return listed, lines[::-1] if draw(st.booleans()) else lines


@st.composite
def layers(draw: st.DrawFn, listed: list[int]) -> list[str]:
    """Simulcast of up to six layers, some paused, restricted or with alternatives."""
    rids = draw(st.lists(st.sampled_from("lmhxyz"), unique=True, max_size=6))
    limits = st.sampled_from(("", " max-width=640", *(f" pt={number}" for number in listed)))
    lines = [f"a=rid:{rid} send{draw(limits)}" for rid in rids]
    marks = st.sampled_from(("", "", "~"))
    order = "".join(f"{draw(st.sampled_from(';;,'))}{draw(marks)}{rid}" for rid in rids)
    return [*lines, f"a=simulcast:send {order[1:]}"] if rids else []


@st.composite
def sections(draw: st.DrawFn, direction: str) -> str:
    """An offer of one or two sections, in either order."""
    turn = draw(st.integers(0, 60))
    free = [*range(35, 64), *range(96, 128)]
    free = free[turn:] + free[:turn]
    first = draw(st.integers(1, 14 - len(EXTENSIONS)))
    numbers = range(first, first + len(EXTENSIONS))
    ways = st.sampled_from(("", "", "/sendrecv", "/sendonly", "/recvonly", "/inactive"))
    kinds = draw(st.sampled_from((("audio", "video"), ("video", "audio"), ("video",), ("audio",))))
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines.append("a=group:BUNDLE " + " ".join(kinds))
    for kind in kinds:
        listed, told = draw(formats(VIDEO if kind == "video" else AUDIO, free))
        lines.append(f"m={kind} 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, listed)))
        lines += [f"a=mid:{kind}", f"a={direction}", "a=rtcp-mux", "a=setup:actpass", *told]
        lines += ["a=rtcp-rsize"] * draw(st.integers(0, 1))
        for number, uri in zip(numbers, EXTENSIONS, strict=True):
            lines += [f"a=extmap:{number}{draw(ways)} {uri}"] * draw(st.integers(0, 1))
        if kind == "video" and direction == "sendonly":
            lines += draw(layers(listed))
    return "\r\n".join(lines) + "\r\n"


@settings(max_examples=150, deadline=None)
@given(sections("sendonly"))
def test_any_publisher_is_answered_as_it_offered(text: str) -> None:
    answer, publication = publish(text)
    assert_sound(text, answer, {"recvonly"})
    assert [track.kind for track in publication.tracks] == [m.kind for m in sdp.parse(text).media]
    for track, ours in zip(publication.tracks, sdp.parse(answer).media, strict=True):
        told = {value.partition(" ")[2] for value in ours.all("rtcp-fb")}
        on = (track.nack, track.pli, track.fir, track.remb, track.twcc)
        assert told == {kind for kind, agreed in zip(FEEDBACK, on, strict=True) if agreed}
        assert tuple(value.split()[0] for value in ours.all("rid")) == track.layers
        codec = track.codec
        types = (codec.red_payload_type, codec.payload_type, codec.rtx_payload_type)
        assert ours.formats == tuple(str(number) for number in types if number is not None)
        assert not (track.twcc and track.remb)
        assert not (track.pli and track.fir)


@settings(max_examples=150, deadline=None)
@given(sections("recvonly"), st.sampled_from([stream for _, stream, _ in PLAYS]))
def test_any_viewer_is_answered_as_it_offered_or_refused(text: str, stream: Stream) -> None:
    try:
        answer, subscription = negotiate.watch(sdp.parse(text), LOCAL, stream)
    except UnacceptableOffer:
        assert "m=video" in text
        return
    assert_sound(text, answer, {"sendonly"})
    kinds = {m.kind for m in sdp.parse(answer).media}
    assert (subscription.video is not None) == ("video" in kinds)
    assert (subscription.audio is not None) == ("audio" in kinds)
    assert f"a=rtpmap:{subscription.video} {stream.tracks[0].codec.name}/" in answer or (
        subscription.video is None
    )
    assert (subscription.abs_send_time is not None) == ("a=extmap:" in answer)
