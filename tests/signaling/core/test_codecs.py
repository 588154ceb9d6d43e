"""What counts as a codec, which of several is wanted, and which of a viewer's plays it."""

from itertools import pairwise

import pytest

from signaling.core import codecs, sdp
from signaling.core.sdp import Section
from signaling.ports import Codec
from tests.signaling.offers import chromium


def section(*formats: str, kind: str = "video") -> Section:
    """A section that offers, from payload type 96 on, each `name/rate fmtp`."""
    lines = [f"m={kind} 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, range(96, 96 + len(formats))))]
    for number, text in enumerate(formats, 96):
        encoding, _, parameters = text.partition(" ")
        lines.append(f"a=rtpmap:{number} {encoding}")
        lines += [f"a=fmtp:{number} {parameters}"] if parameters else []
    return sdp.parse("v=0\r\n" + "\r\n".join(lines)).media[0]


def codec(text: str, kind: str = "video") -> Codec:
    (found,) = codecs.offered(section(text, kind=kind))
    return found


CONSTRAINED = "H264/90000 packetization-mode=1;profile-level-id=42e01f"
BASELINE = "H264/90000 packetization-mode=1;profile-level-id=42001f"
MAIN = "H264/90000 packetization-mode=1;profile-level-id=4d001f"
CONSTRAINED_HIGH = "H264/90000 packetization-mode=1;profile-level-id=640c1f"
HIGH = "H264/90000 packetization-mode=1;profile-level-id=640032"
HIGH_444 = "H264/90000 packetization-mode=1;profile-level-id=f4001f"
IN_ORDER = (
    *(CONSTRAINED, BASELINE, MAIN, CONSTRAINED_HIGH, HIGH),
    *("VP8/90000", "VP9/90000", "AV1/90000", "H265/90000"),
)
OTHERS = (HIGH_444, "VP9/90000 profile-id=2", "AV1/90000 profile=1", "H265/90000 profile-id=2")


@pytest.mark.parametrize(("better", "worse"), list(pairwise(IN_ORDER)))
def test_the_order_in_which_codecs_are_wanted(better: str, worse: str) -> None:
    assert codecs.preference(codec(better)) < codecs.preference(codec(worse))


def test_other_profiles_come_last_in_the_publishers_order() -> None:
    ranks = {codecs.preference(codec(other)) for other in OTHERS}
    assert ranks == {len(codecs.WANTED)}
    assert codecs.preference(codec(IN_ORDER[-1])) < len(codecs.WANTED)


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("VP8/90000", ""),
        ("VP9/90000", "0"),
        ("vp9/90000 profile-id=2", "2"),
        ("AV1/90000 level-idx=5;profile=1;tier=0", "1"),
        ("av1/90000", "0"),
        ("H265/90000 level-id=180;profile-id=2;tier-flag=0;tx-mode=SRST", "2"),
        ("H265/90000", "1"),
        ("H264/90000 packetization-mode=1", "4200"),
        ("H264/90000 packetization-mode=1;profile-level-id=42C01F", "42e0"),
        ("H264/90000 packetization-mode=1;profile-level-id=42f00b", "42e0"),
        ("H264/90000 packetization-mode=1;profile-level-id=42", ""),
    ],
)
def test_profiles(text: str, profile: str) -> None:
    assert codecs.profile(codec(text)) == profile


@pytest.mark.parametrize(
    "text",
    [
        "H264/90000",
        "H264/90000 packetization-mode=0",
        "H265/90000 tx-mode=MRST",
        "H265/90000 sprop-max-don-diff=1",
        "VP9/48000",
        "AV1X/90000",
        "opus/48000/2",
        "VP10/90000",
        "red/90000",
        "ulpfec/90000",
    ],
)
def test_what_is_not_carried(text: str) -> None:
    assert codecs.offered(section(text)) == []


@pytest.mark.parametrize(
    ("sent", "listed", "found"),
    [
        (CONSTRAINED, (HIGH, BASELINE, CONSTRAINED), 98),
        (HIGH, (BASELINE, CONSTRAINED), 96),
        (HIGH, ("VP8/90000", CONSTRAINED), 97),
        (CONSTRAINED, ("VP8/90000",), None),
        ("VP8/90000", ("VP9/90000", "VP8/90000"), 97),
        ("VP9/90000 profile-id=0", ("VP9/90000 profile-id=2", "VP9/90000"), 97),
        ("VP9/90000 profile-id=2", ("VP9/90000", "VP8/90000"), None),
        ("AV1/90000", ("AV1/90000 profile=1", "AV1/90000 level-idx=5;profile=0"), 97),
        ("AV1/90000", ("AV1/90000 profile=1",), None),
        ("H265/90000 profile-id=1", ("H265/90000 level-id=93", "H265/90000"), 96),
        ("H265/90000 profile-id=2", ("H265/90000",), None),
    ],
)
def test_what_a_viewer_plays(sent: str, listed: tuple[str, ...], found: int | None) -> None:
    played = codecs.playable(codecs.offered(section(*listed)), codec(sent))
    assert (played and played.payload_type) == found


@pytest.mark.parametrize(
    ("red", "found"),
    [
        ("red/48000/2 96/96", 97),
        ("RED/48000/2 96/96", 97),
        ("red/48000/2 96/96/96", 97),
        ("red/48000/2 96/98", None),
        ("red/48000/2 98/98", None),
        ("red/48000/2 96", None),
        ("red/48000/2 /", None),
        ("red/48000/2 96/72", None),
        ("red/48000/2", None),
        ("red/48000 96/96", None),
        ("red/8000/2 96/96", None),
        ("rex/48000/2 96/96", None),
        ("rtx/48000/2 96/96", None),
    ],
)
def test_redundant_audio(red: str, found: int | None) -> None:
    (opus,) = codecs.offered(section("opus/48000/2", red, kind="audio"))
    assert (opus.payload_type, opus.red_payload_type, opus.rtx_payload_type) == (96, found, None)


def test_opus_is_asked_for_with_forward_error_correction() -> None:
    for offered, asked in (
        ("minptime=10", {"minptime": "10", "useinbandfec": "1"}),
        ("useinbandfec=0;stereo=1", {"useinbandfec": "1", "stereo": "1"}),
        ("", {"useinbandfec": "1"}),
    ):
        opus = codec(f"opus/48000/2 {offered}".strip(), kind="audio")
        assert codecs.asked(opus).parameters == asked
    video = codec(CONSTRAINED)
    assert codecs.asked(video) is video


@pytest.mark.parametrize(
    ("offered", "level_id"),
    [
        ("profile-level-id=42e01f;level-asymmetry-allowed=1", "42e033"),
        ("profile-level-id=42E01F;level-asymmetry-allowed=1", "42e033"),
        ("profile-level-id=640c3e;level-asymmetry-allowed=1", "640c33"),
        ("profile-level-id=42f00b;level-asymmetry-allowed=1", "42e033"),  # level 1b
        ("profile-level-id=64100b;level-asymmetry-allowed=1", "641033"),  # no level 1b in High
        ("level-asymmetry-allowed=1", "420033"),
        ("profile-level-id=42e01f", "42e01f"),
        ("profile-level-id=42e01f;level-asymmetry-allowed=0", "42e01f"),
        ("profile-level-id=42f00b", "42f00b"),
        ("profile-level-id=42e033", "42e033"),
        ("profile-level-id=42e034", "42e033"),
        ("profile-level-id=4d003e;level-asymmetry-allowed=0", "4d0033"),
        ("profile-level-id=nonsense;level-asymmetry-allowed=1", "nonsense"),
        ("", None),
    ],
)
def test_h264_is_received_in_a_level_of_our_own(offered: str, level_id: str | None) -> None:
    sent = codec(f"H264/90000 packetization-mode=1;{offered}")
    taken = codecs.received(sent)
    assert taken.parameters.get("profile-level-id") == level_id
    assert codecs.profile(taken) == codecs.profile(sent)
    assert taken.parameters.get("packetization-mode") == "1"


def test_parameter_sets_beside_the_stream_are_asked_for_in_it() -> None:
    h264 = "H264/90000 packetization-mode=1"
    for name in ("sprop-parameter-sets", "sprop-level-parameter-sets"):
        taken = codecs.received(codec(f"{h264};{name}=Z0LADQ,aM48;in-band-parameter-sets=0"))
        assert taken.parameters["in-band-parameter-sets"] == "1"
    assert "in-band-parameter-sets" not in codecs.received(codec(h264)).parameters
    assert "max-recv-level" not in codecs.received(codec(f"{h264};max-recv-level=e02a")).parameters
    vp8 = codec("VP8/90000 max-fs=12288")
    assert codecs.received(vp8) is vp8


def test_a_browsers_codecs() -> None:
    video = sdp.parse(chromium("watch")).media[0]
    names = {found.name for found in codecs.offered(video)}
    assert names == {"H264", "VP8", "VP9", "AV1"}
    assert all(found.rtx_payload_type is not None for found in codecs.offered(video))


def test_the_names_told_to_whom_is_refused() -> None:
    assert codecs.names("video") == "H264, VP8, VP9, AV1, H265"
    assert codecs.names("audio") == "opus"
