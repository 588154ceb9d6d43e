"""What carries on when the publisher changes, and what cannot."""

from dataclasses import replace

import pytest

from live.relay.core.rtp import parse
from live.relay.lanes import Lanes, decoder
from signaling.ports import Codec
from tests.relay.media import H264, KEY, LAYERS, OPUS, VP8, track, video

HIGH = replace(H264, parameters={"profile-level-id": "640c1f"})


def test_layers_the_next_publisher_does_not_send_stop_flowing_at_once() -> None:
    made = Lanes(0.0)
    made.begin([track(H264, layers=LAYERS)])
    for lane in made.video:
        packet = video(1, KEY)
        head = parse(packet)
        assert head is not None
        lane.forward(packet, head, 1, head.start, 5.0)
    assert len(made.flowing(5.1)) == 3
    assert made.carry_on([track(H264)])
    assert [layer.index for layer in made.flowing(5.1)] == [0]


def test_sound_and_picture_have_sources_of_their_own() -> None:
    lanes = Lanes(0.0)
    assert lanes.tracks() == ()
    lanes.begin((track(H264), track(OPUS)))
    picture, sound = lanes.tracks()
    assert (picture.kind, sound.kind) == ("video", "audio")
    assert sound.rtx_ssrc is None
    assert len({picture.ssrc, picture.rtx_ssrc, sound.ssrc}) == 3


def test_layers_share_their_sources_and_only_those_that_flow_are_told() -> None:
    lanes = Lanes(0.0)
    lanes.begin((replace(track(H264), layers=("q", "h", "f")),))
    assert len({(lane.ssrc, lane.rtx_ssrc) for lane in lanes.video}) == 1
    assert lanes.flowing(1.0) == []
    packet = video(7, KEY)
    head = parse(packet)
    assert head is not None
    lanes.video[1].forward(packet, head, 0x10007, head.start, 1.0)
    assert [layer.index for layer in lanes.flowing(1.5)] == [1]


@pytest.mark.parametrize(("codec", "goes_on"), [(H264, True), (VP8, False), (HIGH, False)])
def test_same_decoder_carries_on_in_the_same_lanes(codec: Codec, goes_on: bool) -> None:
    lanes = Lanes(0.0)
    lanes.begin((track(H264), track(OPUS)))
    before = list(lanes)
    assert lanes.carry_on((track(codec), track(OPUS))) is goes_on
    assert list(lanes) == before
    assert not lanes.carry_on((track(H264),))


def test_more_layers_come_with_the_next_publisher() -> None:
    lanes = Lanes(0.0)
    lanes.begin((track(H264),))
    only = lanes.video
    assert lanes.carry_on((replace(track(H264), layers=("h", "f")),))
    assert lanes.video is only
    assert len(only) == 2


@pytest.mark.parametrize("other", ["42E034", "42c00d", "4d801f", "58c01f"])
def test_neither_a_level_nor_a_spelling_is_another_decoder(other: str) -> None:
    ours, theirs = (replace(H264, parameters={"profile-level-id": x}) for x in ("42e01f", other))
    assert decoder(ours) == decoder(theirs)


@pytest.mark.parametrize("other", ["42001f", "4d001f", "640c1f", "58801f", "42e11f", ""])
def test_another_profile_is_another_decoder(other: str) -> None:
    ours, theirs = (replace(H264, parameters={"profile-level-id": x}) for x in ("42e01f", other))
    assert decoder(ours) != decoder(theirs)


@pytest.mark.parametrize(
    ("name", "parameter", "usual", "other"),
    [
        ("VP9", "profile-id", "0", "2"),
        ("AV1", "profile", "0", "1"),
        ("H265", "profile-id", "1", "2"),
    ],
)
def test_a_profile_left_out_is_the_usual_one(
    name: str, parameter: str, usual: str, other: str
) -> None:
    silent = replace(H264, name=name)
    assert decoder(silent) == decoder(replace(silent, parameters={parameter: usual}))
    assert decoder(silent) != decoder(replace(silent, parameters={parameter: other}))
