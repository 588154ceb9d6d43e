"""The demo's tracks: one packet a frame, a key frame first, a tone that is there but quiet."""

import time

import numpy as np
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext

from live.demo.picture import read_strip
from live.demo.tracks import LOUDNESS, SAMPLES_PER_FRAME, TONES_HZ, PictureTrack, ToneTrack


async def test_pictures_decode_to_the_moment_they_were_drawn() -> None:
    track, decoder = PictureTrack(), CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    began_ms = time.time_ns() // 1_000_000
    packets = [await track.recv() for _ in range(5)]
    assert [packet.is_keyframe for packet in packets] == [True, False, False, False, False]
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    luma = (frame.to_ndarray()[: frame.height].astype(np.uint8) for frame in decoded)
    moments = [read_strip(plane) for plane in luma]
    assert moments == sorted(set(moments))
    assert len(moments) == 5
    assert began_ms <= moments[0] <= time.time_ns() // 1_000_000
    track.stop()


async def test_the_tone_is_quiet() -> None:
    frame = await ToneTrack().recv()
    samples = np.abs(frame.to_ndarray().astype(int))
    assert frame.samples == SAMPLES_PER_FRAME
    assert 0 < samples.max() <= LOUDNESS * len(TONES_HZ)
