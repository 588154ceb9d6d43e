"""Offers as browsers send them, the other half of a session, and ways to spoil them."""

from pathlib import Path

from signaling.core import stun
from signaling.core.answer import Candidate, Local
from signaling.ports import Codec, Stream, StreamTrack

DATA = Path(__file__).parent.parent / "data"

LOCAL = Local(
    session=7,
    ufrag="ours1234",
    password="0123456789abcdef0123456789abcdef",
    fingerprint=":".join(["AB"] * 32),
    candidates=[
        Candidate("192.0.2.1", 8189, "udp"),
        Candidate("2001:db8::1", 8189, "udp"),
        Candidate("192.0.2.1", 8190, "tcp"),
    ],
)

H264 = Codec("H264", 90_000, 108, 109, {"packetization-mode": "1", "profile-level-id": "42e01f"})
OPUS = Codec("opus", 48_000, 111, None, {})
STREAM = Stream(
    "kkot",
    (StreamTrack("video", H264, 1111, 2222), StreamTrack("audio", OPUS, 3333, None)),
)


def chromium(name: str) -> str:
    """An offer captured from Chromium 156."""
    return offer(f"chromium_{name}")


def offer(name: str) -> str:
    """An offer of tests/data: `chromium_*`, `firefox_*` (153), `gstreamer_*` (1.22) and
    `libdatachannel_*` are captured; `obs_*` and `safari_*` are written after the form of theirs."""
    return (DATA / f"{name}.sdp").read_bytes().decode()


def attribute(sdp: str, name: str) -> str:
    """The first value of an attribute, anywhere in a description."""
    prefix = f"a={name}:"
    return next(line[len(prefix) :] for line in sdp.split("\r\n") if line.startswith(prefix))


def ice_check(offer: str, answer: str, *, nominate: bool) -> bytes:
    """The connectivity check with which the offerer proves a source to the answerer."""
    username = f"{attribute(answer, 'ice-ufrag')}:{attribute(offer, 'ice-ufrag')}"
    attributes = [
        (stun.USERNAME, username.encode()),
        (stun.ICE_CONTROLLING, bytes(8)),
        (stun.PRIORITY, bytes(4)),
    ]
    if nominate:
        attributes.append((stun.USE_CANDIDATE, b""))
    password = attribute(answer, "ice-pwd").encode()
    return stun.build(stun.BINDING_REQUEST, b"transaction!", attributes, password)
