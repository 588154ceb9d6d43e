"""The relay under any decrypted bytes: no sink raises, nothing grows without bound."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.relay.core import rtcp, rtp
from signaling.ports import Publication
from tests.fuzz.spoilt import spoilt
from tests.fuzz.test_readers import RTCP, RTP
from tests.relay.media import (
    H264,
    KEY,
    LAYERS,
    OPUS_RED,
    RED_TYPE,
    REPAIRED_RID_ID,
    VP8,
    FakeLink,
    audio,
    layered,
    named,
    publication,
    redundant,
    repeated,
    video,
)
from tests.relay.test_broadcast import SHOW, Stage, frames
from tests.sim.show import size_of

REDUNDANT = audio(5, redundant(b"now", b"before", b"long before"))
SOUND_RTP = [
    *RTP,
    video(500),
    repeated(video(501)),
    *frames(502, 3),
    REDUNDANT[:1] + bytes((RED_TYPE,)) + REDUNDANT[2:],
    *(named(video(600, KEY), rid) for rid in LAYERS),
    named(repeated(video(600, KEY)), "h", REPAIRED_RID_ID),
]
PUBLICATIONS = (publication(H264, OPUS_RED), publication(VP8, OPUS_RED), layered())
SOUND_RTCP = [*RTCP, rtcp.nack(1, 0x1111, range(0, 1_000, 3)), rtcp.picture_loss(1, 0x1111)]

Inputs = list[tuple[bool, bool, bytes, float]]
INPUTS = st.lists(
    st.booleans().flatmap(
        lambda is_rtcp: st.tuples(
            st.just(is_rtcp),
            st.booleans(),
            spoilt(SOUND_RTCP if is_rtcp else SOUND_RTP) | st.binary(max_size=200),
            st.sampled_from((0.0, 0.001, 0.02, 1.1)),
        )
    ),
    max_size=30,
)


@given(INPUTS, st.sampled_from(PUBLICATIONS))
@settings(max_examples=60)
def test_sinks_take_anything_from_both_sides(inputs: Inputs, agreed: Publication) -> None:
    stage = Stage()
    publisher = stage.relay.publish(SHOW, "p", agreed)
    publisher.connected(FakeLink(), stage.now)
    viewer, seen = stage.viewer()
    stage.send(publisher, *frames(1, 5))
    for is_rtcp, from_publisher, message, wait in inputs:
        peer = publisher if from_publisher else viewer
        (peer.rtcp if is_rtcp else peer.rtp)(message, stage.now)
        peer.drained(stage.now)
        stage.now += wait
        stage.relay.tick(stage.now)
    assert not seen.closed


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("agreed", [PUBLICATIONS[0], layered()], ids=["plain", "layered"])
def test_a_hostile_publisher_fills_no_memory(seed: int, agreed: Publication) -> None:
    chance = Random(seed)
    stage = Stage()
    publisher = stage.relay.publish(SHOW, "p", agreed)
    publisher.connected(FakeLink(), stage.now)
    stage.viewer()

    def flood(count: int) -> int:
        for _ in range(count):
            head = rtp.header(
                chance.random() < 0.5,
                chance.choice((96, 97, 111, RED_TYPE)),
                chance.randrange(1 << 16),
                chance.randrange(1 << 32),
                chance.randrange(1 << 32) if chance.random() < 0.3 else 1,
            )
            packet = head + chance.randbytes(8)
            if chance.random() < 0.3:
                packet = named(packet, chance.choice(LAYERS))
            stage.send(publisher, packet)
            stage.now += 0.001
        stage.relay.tick(stage.now)
        return size_of(stage.relay)

    flood(12_000)
    assert flood(6_000) < 60_000
