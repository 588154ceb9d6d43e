"""Real offers in, decisions and answers out; every refusal; and no offer that breaks it."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.core import negotiate, sdp
from signaling.errors import MalformedOffer, SignalingError, UnacceptableOffer
from signaling.ports import Codec, Publication, Stream, Subscription, Track
from tests.signaling.answers import assert_sound
from tests.signaling.offers import H264, LOCAL, STREAM, attribute, chromium

PUBLISH = chromium("publish")
WATCH = chromium("watch")
VP9 = Codec("VP9", 90_000, 98, None, {"profile-id": "2"})
TEN_BIT = Stream("kkot", (replace(STREAM.tracks[0], codec=VP9),))
DATA_SECTION = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n"


def publish(offer: str) -> tuple[str, Publication]:
    return negotiate.publish(sdp.parse(offer), LOCAL)


def watch(offer: str, stream: Stream = STREAM) -> tuple[str, Subscription]:
    return negotiate.watch(sdp.parse(offer), LOCAL, stream)


def video_of(offer: str) -> Track:
    return publish(offer)[1].tracks[-1]


def swap(*pairs: tuple[str, str], offer: str = PUBLISH) -> str:
    for old, new in pairs:
        assert old in offer
        offer = offer.replace(old, new)
    return offer


def without(offer: str, *starts: str) -> str:
    lines = offer.split("\r\n")
    return "\r\n".join(line for line in lines if not line.startswith(starts))


def test_a_browser_publishes_constrained_baseline_and_opus() -> None:
    answer, publication = publish(PUBLISH)
    assert_sound(PUBLISH, answer, {"recvonly"})
    audio, video = publication.tracks
    assert (audio.kind, audio.codec.name, audio.codec.payload_type) == ("audio", "opus", 111)
    assert (audio.ssrc, audio.rtx_ssrc, audio.nack, audio.twcc) == (1846987689, None, False, True)
    assert (video.kind, video.mid, video.codec.name) == ("video", "1", "H264")
    assert (video.codec.payload_type, video.codec.rtx_payload_type) == (108, 109)
    assert video.codec.parameters["profile-level-id"] == "42e01f"
    assert (video.ssrc, video.rtx_ssrc) == (3962638700, 3203052962)
    assert (video.nack, video.pli, video.twcc, video.remb) == (True, True, True, False)
    assert (video.twcc_id, video.abs_send_time_id) == (3, None)
    assert "a=group:BUNDLE 0 1" in answer
    assert "a=ice-lite" in answer
    assert "a=candidate:3 1 tcp" in answer
    assert "tcptype passive" in answer


def test_a_browser_publishes_three_layers() -> None:
    offer = chromium("publish_simulcast")
    answer, publication = publish(offer)
    assert_sound(offer, answer, {"recvonly"})
    audio, video = publication.tracks
    assert video.layers == ("l", "m", "h")
    assert (video.mid_id, video.rid_id, video.repaired_rid_id) == (4, 10, 11)
    assert (video.ssrc, video.rtx_ssrc) == (None, None)
    assert "a=simulcast:recv l;m;h\r\n" in answer
    for name, number in (("mid", 4), ("rtp-stream-id", 10), ("repaired-rtp-stream-id", 11)):
        assert f"a=extmap:{number} urn:ietf:params:rtp-hdrext:sdes:{name}\r\n" in answer
    assert (audio.layers, audio.mid_id, audio.rid_id) == ((), None, None)


@pytest.mark.parametrize(
    "offer",
    [
        PUBLISH,
        without(chromium("publish_simulcast"), "a=simulcast"),
        without(chromium("publish_simulcast"), "a=rid"),
        swap((":sdes:rtp-stream-id", ":x"), offer=chromium("publish_simulcast")),
        swap((" send\r\n", " recv\r\n"), offer=chromium("publish_simulcast")),
    ],
)
def test_one_layer_where_no_more_can_be_told_apart(offer: str) -> None:
    answer, publication = publish(offer)
    assert_sound(offer, answer, {"recvonly"})
    video = publication.tracks[-1]
    assert (video.layers, video.mid_id, video.rid_id) == ((), None, None)
    assert "a=simulcast" not in answer
    assert "a=rid" not in answer
    assert "rtp-hdrext:sdes" not in answer


def test_layers_without_repaired_rids_are_taken_all_the_same() -> None:
    offer = swap(("sdes:repaired", "x"), ("sdes:mid", "x"), offer=chromium("publish_simulcast"))
    video = publish(offer)[1].tracks[-1]
    assert (video.layers, video.rid_id) == (("l", "m", "h"), 10)
    assert (video.mid_id, video.repaired_rid_id) == (None, None)


def test_a_browser_watches() -> None:
    answer, subscription = watch(WATCH)
    assert_sound(WATCH, answer, {"sendonly"})
    codecs = {m.kind: m.rtp.codecs[0] for m in SessionDescription.parse(answer).media}
    assert codecs["video"].name == "H264"
    assert codecs["video"].parameters["profile-level-id"] == "42e01f"
    assert subscription.video == codecs["video"].payloadType
    assert subscription.audio == codecs["audio"].payloadType == 111
    assert f"a=fmtp:{subscription.rtx} apt={subscription.video}" in answer
    for kind in ("nack", "nack pli", "ccm fir", "goog-remb"):
        assert f"a=rtcp-fb:{subscription.video} {kind}\r\n" in answer
    assert (subscription.remb, subscription.abs_send_time) == (True, 2)
    assert answer.count("a=extmap:2 ") == 2
    assert "transport-cc" not in answer
    assert "a=ssrc-group:FID 1111 2222" in answer
    assert answer.index("a=ssrc:1111 ") < answer.index("a=ssrc:2222 ")
    assert "a=msid:kkot audio" in answer
    assert "a=msid:kkot video" in answer


def test_a_viewer_of_sound_only_gets_sound() -> None:
    answer, subscription = watch(chromium("watch_audio"))
    assert_sound(chromium("watch_audio"), answer, {"sendonly"})
    assert subscription == Subscription(video=None, rtx=None, audio=111, red=63)


def test_repairs_of_what_is_not_repaired_are_not_answered() -> None:
    offer = WATCH + "a=rtpmap:112 rtx/48000\r\na=fmtp:112 apt=111\r\n"
    offer = swap((" 111 63 ", " 111 112 63 "), offer=offer)
    assert "apt=111" not in watch(offer)[0]


def test_what_a_show_does_not_send_is_inactive() -> None:
    sound = Stream("kkot", STREAM.tracks[1:])
    answer, subscription = watch(WATCH, sound)
    assert_sound(WATCH, answer, {"sendonly", "inactive"})
    assert subscription == Subscription(video=None, rtx=None, audio=111, red=63)


def test_a_viewer_without_the_publishers_profile_gets_another_one() -> None:
    high = replace(STREAM.tracks[0], codec=replace(H264, parameters={"profile-level-id": "640c1f"}))
    answer, subscription = watch(WATCH, Stream("kkot", (high,)))
    assert "profile-level-id=64" not in WATCH
    assert f"a=rtpmap:{subscription.video} H264/90000" in answer


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (PUBLISH, ("H264", 108)),
        (swap(("42e01f", "42c01f")), ("H264", 108)),
        (swap(("42e01f", "42E01F")), ("H264", 108)),
        (swap(("42e01f", "4d001f")), ("H264", 102)),
        (swap(("42e01f", "64001f"), ("42001f", "64001f")), ("H264", 116)),
        (swap(("42e01f", "nonsense"), ("42001f", "42")), ("H264", 116)),
        (swap(("packetization-mode=1", "packetization-mode=0")), ("VP8", 96)),
        (swap(("H264/90000", "H264/1")), ("VP8", 96)),
        (swap(("VP8/90000", "vp8/90000"), ("H264/", "H263/")), ("VP8", 96)),
        (swap(("H264/90000", "h264/90000")), ("H264", 108)),
    ],
)
def test_preference(offer: str, expected: tuple[str, int]) -> None:
    codec = video_of(offer).codec
    assert (codec.name, codec.payload_type) == expected


def test_redundant_audio_is_agreed_first_so_that_browsers_send_it() -> None:
    answer, publication = publish(PUBLISH)
    assert publication.tracks[0].codec.red_payload_type == 63
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" in answer
    assert "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" in answer
    answer, subscription = watch(WATCH)
    assert (subscription.audio, subscription.red) == (111, 63)
    assert "a=fmtp:63 111/111\r\n" in answer
    plain = without(WATCH, "a=rtpmap:63")
    assert watch(plain)[1].red is None
    assert "red/48000" not in watch(plain)[0]


@pytest.mark.parametrize(
    ("offer", "rtx"),
    [
        (PUBLISH, 109),
        (swap(("apt=108", "apt=1")), None),
        (swap(("apt=108", "apt=")), None),
        (swap(("rtpmap:109 rtx/90000", "rtpmap:109 rtx/48000")), None),
        (swap(("rtpmap:109 rtx", "rtpmap:999 rtx"), ("fmtp:109", "fmtp:999")), None),
        (swap((" 108 109 ", " 108 72 "), (":109 ", ":72 ")), None),
        (swap((" 108 109 ", " 108 ")), None),
    ],
)
def test_rtx_is_folded_in_only_when_it_can_be_sent(offer: str, rtx: int | None) -> None:
    assert video_of(offer).codec.rtx_payload_type == rtx


def test_remb_only_where_twcc_is_not_offered() -> None:
    for offer in (swap(("transport-cc", "x")), swap(("transport-wide-cc", "x"))):
        track = video_of(offer)
        assert (track.twcc, track.twcc_id) == (False, None)
        assert (track.remb, track.abs_send_time_id) == (True, 2)
        answer = publish(offer)[0]
        assert "a=rtcp-fb:108 goog-remb" in answer
        assert "transport-cc" not in answer
    neither = video_of(swap(("transport-cc", "x"), ("goog-remb", "x")))
    assert (neither.twcc, neither.remb) == (False, False)
    assert (neither.twcc_id, neither.abs_send_time_id) == (None, None)


def test_feedback_for_all_payload_types_counts() -> None:
    offer = without(PUBLISH, "a=rtcp-fb") + "a=rtcp-fb:* nack\r\na=rtcp-fb:* nack pli\r\n"
    track = video_of(offer)
    assert (track.nack, track.pli) == (True, True)
    assert "a=rtcp-fb:108 nack pli" in publish(offer)[0]


@pytest.mark.parametrize("number", ["0", "256", "0255999", "0001" + "0" * 5_000, "-3", "x", ""])
def test_an_absurd_extension_number_is_none(number: str) -> None:
    track = video_of(swap(("a=extmap:3 ", f"a=extmap:{number} ")))
    assert track.twcc_id is None


@pytest.mark.parametrize(
    "line",
    [
        "a=ssrc: ",
        "a=ssrc",
        "a=ssrc:4294967296 cname:x",
        "a=ssrc:9999999999 cname:x",
        "a=ssrc:" + "1" * 5_000,
        "a=ssrc-group:",
        "a=ssrc-group:FID",
        "a=ssrc-group:FID 1",
        "a=ssrc-group:FID x y",
        "a=ssrc-group:SIM 1 2 3",
    ],
)
def test_an_absurd_ssrc_is_none(line: str) -> None:
    track = video_of(without(PUBLISH, "a=ssrc") + line + "\r\n")
    assert (track.ssrc, track.rtx_ssrc) == (None, None)


def test_a_viewer_is_asked_for_estimates_only_where_it_offers_them() -> None:
    answer, subscription = watch(swap(("goog-remb", "x"), offer=WATCH))
    assert (subscription.remb, subscription.abs_send_time) == (False, None)
    assert "a=extmap:" not in answer
    answer, subscription = watch(swap(("abs-send-time", "x"), offer=WATCH))
    assert (subscription.remb, subscription.abs_send_time) == (True, None)
    assert f"a=rtcp-fb:{subscription.video} goog-remb" in answer
    assert "a=extmap:" not in answer


def test_a_viewer_that_measures_its_picture_only_is_answered_so() -> None:
    video, audio = WATCH.split("m=audio")
    offer = swap(("extmap:2 ", "extmap:2/recvonly "), offer=video)
    offer += "m=audio" + without(audio, "a=extmap")
    answer, subscription = watch(offer)
    assert_sound(offer, answer, {"sendonly"})
    assert subscription.abs_send_time == 2
    assert answer.count("a=extmap:2/sendonly ") == 1


def test_full_intra_requests_only_where_picture_loss_is_not_offered() -> None:
    assert (video_of(PUBLISH).pli, video_of(PUBLISH).fir) == (True, False)
    assert "ccm fir" not in publish(PUBLISH)[0]
    offer = swap(("nack pli", "x"))
    assert (video_of(offer).pli, video_of(offer).fir) == (False, True)
    assert "a=rtcp-fb:108 ccm fir" in publish(offer)[0]
    neither = video_of(swap(("nack pli", "x"), ("ccm fir", "x")))
    assert (neither.pli, neither.fir) == (False, False)


def test_reduced_size_feedback_where_it_is_offered() -> None:
    assert all(track.rsize for track in publish(PUBLISH)[1].tracks)
    assert not any(track.rsize for track in publish(without(PUBLISH, "a=rtcp-rsize"))[1].tracks)


def test_an_answer_brings_nothing_that_was_not_offered() -> None:
    offer = without(chromium("watch_audio"), "a=mid", "a=group", "a=extmap-allow", "a=rtcp-rsize")
    answer, _ = watch(offer)
    for name in ("mid", "group", "extmap-allow-mixed", "rtcp-rsize"):
        assert f"a={name}" not in answer
    assert_sound(offer, answer, {"sendonly"})


def test_a_parameter_without_a_value_is_written_as_it_came() -> None:
    answer, _ = publish(swap(("minptime=10;useinbandfec=1", "stereo;minptime=10")))
    assert "a=fmtp:111 stereo;minptime=10;useinbandfec=1\r\n" in answer


REFUSED: list[tuple[str, Callable[[], str]]] = [
    ("at most one", lambda: swap(("m=audio", "m=video"))),
    ("application", lambda: PUBLISH + DATA_SECTION),
    ("is recvonly", lambda: swap(("a=sendonly", "a=recvonly"))),
    ("is inactive", lambda: swap(("a=sendonly", "a=inactive"))),
    ("multiplexed", lambda: without(PUBLISH, "a=rtcp-mux")),
    ("setup", lambda: swap(("setup:actpass", "setup:passive"))),
    ("setup", lambda: without(PUBLISH, "a=setup")),
    ("bundled", lambda: without(PUBLISH, "a=group")),
    ("bundled", lambda: swap(("BUNDLE 0 1", "BUNDLE 0"))),
    ("bundled", lambda: swap(("BUNDLE 0 1", "LS 0 1"))),
    ("bundled", lambda: without(PUBLISH, "a=mid")),
    ("bundled", lambda: swap(("BUNDLE 0 1", "BUNDLE 0"), ("a=mid:1", "a=mid:0"))),
    ("SAVPF", lambda: swap(("UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP"))),
    ("H264, VP8, VP9, AV1, H265", lambda: swap(("/90000", "/9000"))),
    ("no audio codec", lambda: swap(("opus/48000", "opus/44100"))),
    ("no audio codec", lambda: swap(("opus/48000/2", "VP8/90000"))),
    ("no video codec", lambda: re.sub(r"(H264|VP8|VP9|AV1)/90000", "opus/48000", PUBLISH)),
]


@pytest.mark.parametrize(("reason", "offer"), REFUSED)
def test_refused_publishers(reason: str, offer: Callable[[], str]) -> None:
    with pytest.raises(UnacceptableOffer, match=reason):
        publish(offer())


@pytest.mark.parametrize(
    ("reason", "offer", "stream"),
    [
        ("is sendonly", swap(("a=recvonly", "a=sendonly"), offer=WATCH), STREAM),
        ("sent as H264", swap(("H264/", "H263/"), offer=WATCH), STREAM),
        ("sent as VP9 .profile 2.", swap(("profile-id=2", "profile-id=4"), offer=WATCH), TEN_BIT),
        ("nothing this show sends", chromium("watch_audio"), Stream("x", STREAM.tracks[:1])),
    ],
)
def test_refused_viewers(reason: str, offer: str, stream: Stream) -> None:
    with pytest.raises(UnacceptableOffer, match=reason):
        watch(offer, stream)


def renumbered(offer: str, own: int, other: int) -> str:
    """The offer with a payload type of its sound called by another number."""
    offer = re.sub(rf"(m=audio.*) {own} ", rf"\1 {other} ", offer)
    offer = offer.replace(f" {own}/{own}\r\n", f" {other}/{other}\r\n")
    return re.sub(rf"a=(rtpmap|fmtp|rtcp-fb):{own} ", rf"a=\1:{other} ", offer)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("own", "other"), [(111, 108), (111, 109), (63, 108), (63, 109)])
def test_a_payload_type_of_sound_and_picture_is_refused(
    own: int, other: int, announced: bool
) -> None:
    """Sound or redundant sound, and the picture or its repetitions."""
    for answered, whole in ((publish, PUBLISH), (watch, WATCH)):
        offer = whole if announced else without(whole, "a=ssrc")
        answered(renumbered(offer, own, 61))
        with pytest.raises(UnacceptableOffer, match=f"payload type {other} is of audio and of"):
            answered(renumbered(offer, own, other))


def test_a_shared_payload_type_that_is_not_agreed_is_in_nobodys_way() -> None:
    offer = renumbered(PUBLISH, 110, 96)
    assert offer != PUBLISH
    assert publish(offer)[1] == publish(PUBLISH)[1]


@pytest.mark.parametrize("mid", ["a b", "", "x" * 65, "ü"])
def test_a_mid_that_is_no_token_is_malformed(mid: str) -> None:
    with pytest.raises(MalformedOffer):
        publish(swap(("a=mid:0", f"a=mid:{mid}")))


def test_sendrecv_and_active_are_taken_as_well() -> None:
    offer = swap(("a=sendonly", "a=sendrecv"), ("setup:actpass", "setup:active"))
    assert_sound(offer, publish(offer)[0], {"recvonly"})


def test_credentials() -> None:
    remote = negotiate.remote_of(sdp.parse(PUBLISH))
    assert remote.ufrag == attribute(PUBLISH, "ice-ufrag")
    digest = attribute(PUBLISH, "fingerprint").removeprefix("sha-256 ")
    assert remote.fingerprints == (("sha-256", digest),)


def test_credentials_of_the_whole_session_count() -> None:
    lines = [f"a={name}:{attribute(PUBLISH, name)}" for name in ("ice-ufrag", "ice-pwd")]
    lines.append(f"a=fingerprint:{attribute(PUBLISH, 'fingerprint')}")
    bare = without(PUBLISH, "a=ice-", "a=fingerprint")
    offer = bare.replace("t=0 0\r\n", "t=0 0\r\n" + "\r\n".join(lines) + "\r\n")
    assert negotiate.remote_of(sdp.parse(offer)) == negotiate.remote_of(sdp.parse(PUBLISH))


@pytest.mark.parametrize(
    "offer",
    [
        PUBLISH.split("m=")[0],
        without(PUBLISH, "a=ice-ufrag"),
        without(PUBLISH, "a=ice-pwd"),
        without(PUBLISH, "a=fingerprint"),
        swap((f"ice-ufrag:{attribute(PUBLISH, 'ice-ufrag')}", "ice-ufrag:a:b")),
        swap((f"ice-pwd:{attribute(PUBLISH, 'ice-pwd')}", "ice-pwd:short")),
        swap(("fingerprint:sha-256", "fingerprint:sha-1")),
        swap(("fingerprint:sha-256", "fingerprint:sha-512")),
        swap(("fingerprint:sha-256 ", "fingerprint:sha-256 XY:")),
    ],
)
def test_missing_or_absurd_credentials_are_malformed(offer: str) -> None:
    with pytest.raises(MalformedOffer):
        negotiate.remote_of(sdp.parse(offer))


SPOILS = ("", " ", "0", "-1", "255", "4294967296", "9" * 4_400, "\u0663", "apt=", "/", ":", ";")


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A browser's offer with lines lost, doubled, swapped or spoilt word by word."""
    names = ("publish", "publish_simulcast", "watch", "watch_audio")
    lines = chromium(draw(st.sampled_from(names))).split("\r\n")
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(1, len(lines) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
            case 2:
                words = lines[at].replace(":", " : ").replace("=", " = ").split(" ")
                word = draw(st.one_of(st.sampled_from(SPOILS), st.text(max_size=4)))
                words[draw(st.integers(0, len(words) - 1))] = word
                lines[at] = " ".join(words).replace(" : ", ":").replace(" = ", "=")
            case _:
                lines[at] = draw(st.sampled_from("amcos")) + "=" + draw(st.text(max_size=12))
    return "\r\n".join(lines)


def assert_usable(publication: Publication) -> None:
    agreed = [track.codec for track in publication.tracks]
    types = [(c.payload_type, c.rtx_payload_type, c.red_payload_type) for c in agreed]
    numbers = [number for each in types for number in each if number is not None]
    assert len(set(numbers)) == len(numbers)
    for track in publication.tracks:
        codec = track.codec
        for pt in (codec.payload_type, codec.rtx_payload_type, codec.red_payload_type):
            assert pt is None or pt < 64 or 96 <= pt < 128
        for ssrc in (track.ssrc, track.rtx_ssrc):
            assert ssrc is None or ssrc < 1 << 32
        extensions = [track.twcc_id, track.abs_send_time_id]
        extensions += [track.mid_id, track.rid_id, track.repaired_rid_id]
        for extension in extensions:
            assert extension is None or 1 <= extension <= 255


@settings(max_examples=300, deadline=None)
@given(spoilt())
def test_any_offer_is_refused_or_answered_soundly(offer: str) -> None:
    try:
        negotiate.remote_of(sdp.parse(offer))
        answer, publication = publish(offer)
    except SignalingError:
        pass
    else:
        assert_sound(offer, answer, {"recvonly"})
        assert_usable(publication)
    try:
        answer, _ = watch(offer)
    except SignalingError:
        return
    assert_sound(offer, answer, {"sendonly", "inactive"})
