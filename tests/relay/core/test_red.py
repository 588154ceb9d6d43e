"""Redundant audio, made by a writer of the tests' own from RFC 2198 §3, and by noise."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.outgoing import outgoing_audio
from live.relay.core.red import BLOCK_LIMIT, RED, is_sound, numbered, primary
from live.relay.core.rtp import header
from tests.relay.media import redundant

BLOCKS = st.lists(st.binary(max_size=80), max_size=BLOCK_LIMIT - 1)
OWN = st.binary(min_size=1, max_size=80)


@given(BLOCKS, OWN, st.integers(0, 127), st.integers(0, 127))
def test_the_primary_is_found_and_blocks_are_renumbered(
    blocks: list[bytes], own: bytes, payload_type: int, other: int
) -> None:
    payload = redundant(own, *blocks, payload_type=payload_type)
    assert is_sound(payload, payload_type)
    assert is_sound(payload, other) is (payload_type == other)
    assert primary(payload) == own
    assert numbered(payload, other) == redundant(own, *blocks, payload_type=other)


@given(st.binary(max_size=60), st.integers(0, 127))
def test_noise_is_refused_or_has_a_primary(noise: bytes, payload_type: int) -> None:
    for payload in (noise, bytes((payload_type,)) + noise, bytes((0x80 | payload_type,)) + noise):
        if is_sound(payload, payload_type):
            assert primary(payload)
            assert payload.endswith(primary(payload))
            assert len(numbered(payload, 5)) == len(payload)


@given(BLOCKS, OWN, st.data())
def test_what_is_cut_short_is_refused(blocks: list[bytes], own: bytes, data: st.DataObject) -> None:
    payload = redundant(own, *blocks)
    cut = data.draw(st.integers(0, len(payload) - len(own)))
    assert not is_sound(payload[:cut], 111)


def test_too_many_blocks_or_foreign_ones_are_refused() -> None:
    assert is_sound(redundant(b"own", *[b""] * (BLOCK_LIMIT - 1)), 111)
    assert not is_sound(redundant(b"own", *[b""] * BLOCK_LIMIT), 111)
    foreign = pack("!BHB", 0x80 | 13, 0, 1) + pack("!B", 111) + b"x" + b"own"
    assert not is_sound(foreign, 111)


def test_each_viewer_gets_the_form_it_takes_under_its_own_numbers() -> None:
    payload = redundant(b"now", b"before")
    packet = header(False, RED, 7, 960, 9) + payload
    assert outgoing_audio(packet, 109, None) == header(False, 109, 7, 960, 9) + b"now"
    whole = header(False, 63, 7, 960, 9) + redundant(b"now", b"before", payload_type=109)
    assert outgoing_audio(packet, 109, 63) == whole
    plain = header(True, 0, 7, 960, 9) + b"now"
    assert outgoing_audio(plain, 109, 63) == header(True, 109, 7, 960, 9) + b"now"
