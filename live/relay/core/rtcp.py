"""RTCP as the relay needs it: the few packets it understands, the few it writes (RFC 3550 §6,
RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from struct import pack, unpack_from
from typing import Final

SR: Final = 200
RR: Final = 201
SDES: Final = 202
RTPFB: Final = 205
PSFB: Final = 206
NACK: Final = 1
TWCC: Final = 15
PLI: Final = 1
FIR: Final = 4
AFB: Final = 15

NACK_LIMIT: Final = 1_000
"""Numbers of one NACK that are looked at."""
PACKET_LIMIT: Final = 32
"""Packets of one compound that are looked at."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A publisher's clocks: 64-bit NTP time and RTP timestamp of the same moment."""

    ssrc: int
    ntp: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers a receiver of `ssrc` misses."""

    ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyFrameRequest:
    """PLI or FIR for `ssrc`."""

    ssrc: int


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What we tell of one received source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_sr: int
    delay: int


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What a peer tells of the sources it gets from us, in an RR or within an SR."""

    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """A receiver's estimate of what it can take, bits per second, of all its sources together."""

    bitrate: int


Heard = SenderReport | ReceiverReport | Nack | KeyFrameRequest | Remb


def parse(compound: bytes) -> Iterator[Heard]:
    """What is understood in a compound packet; the rest, and all that is broken, is passed over."""
    offset = 0
    for _ in range(PACKET_LIMIT):
        if offset + 8 > len(compound):
            return
        first, kind, words = unpack_from("!BBH", compound, offset)
        end = offset + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            return
        heard = _understand(compound, offset, end, first & 31, kind)
        if heard is not None:
            yield heard
        offset = end


def _understand(compound: bytes, offset: int, end: int, form: int, kind: int) -> Heard | None:
    if kind == SR and end - offset >= 28:
        ssrc, ntp, timestamp = unpack_from("!IQI", compound, offset + 4)
        return SenderReport(ssrc, ntp, timestamp)
    if end - offset < 12:
        return None
    if kind == RR:
        return ReceiverReport(tuple(_blocks(compound[offset + 8 : end], form)))
    if kind == PSFB and form == AFB:
        return _remb(compound[offset + 12 : end])
    (media,) = unpack_from("!I", compound, offset + 8)
    if kind == RTPFB and form == NACK:
        return Nack(media, tuple(islice(_missing(compound[offset + 12 : end]), NACK_LIMIT)))
    if kind == PSFB and form == PLI:
        return KeyFrameRequest(media)
    if kind == PSFB and form == FIR and end - offset >= 20:
        return KeyFrameRequest(unpack_from("!I", compound, offset + 12)[0])
    return None


def _blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for offset in range(0, min(24 * count, len(body) - 23), 24):
        ssrc, loss, highest, jitter, last_sr, delay = unpack_from("!IIIIII", body, offset)
        yield ReportBlock(ssrc, loss >> 24, loss & 0xFFFFFF, highest, jitter, last_sr, delay)


def _remb(body: bytes) -> Remb | None:
    if len(body) < 8 or body[:4] != b"REMB":
        return None
    (word,) = unpack_from("!I", body, 4)
    return Remb((word & 0x3FFFF) << (word >> 18 & 63))


def _missing(entries: bytes) -> Iterator[int]:
    for offset in range(0, len(entries) - 3, 4):
        sequence, following = unpack_from("!HH", entries, offset)
        yield sequence
        for bit in range(16):
            if following >> bit & 1:
                yield (sequence + bit + 1) & 0xFFFF


def receiver_report(sender: int, blocks: Sequence[ReportBlock]) -> bytes:
    """A receiver report about up to 31 sources."""
    body = b"".join(
        pack(
            "!IIIIII",
            block.ssrc,
            block.fraction_lost << 24 | min(max(block.lost, 0), 0x7FFFFF),
            block.highest & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sr,
            block.delay & 0xFFFFFFFF,
        )
        for block in blocks
    )
    return _packet(RR, len(blocks), pack("!I", sender) + body)


def sender_report(
    ssrc: int, ntp: int, timestamp: int, packets: int, octets: int, cname: str
) -> bytes:
    """A sender report and the CNAME that lets a viewer keep lips and voice together."""
    mask = 0xFFFFFFFF
    body = pack("!IQIII", ssrc, ntp, timestamp & mask, packets & mask, octets & mask)
    return _packet(SR, 0, body) + canonical_name(ssrc, cname)


def canonical_name(ssrc: int, cname: str) -> bytes:
    """A source description with the CNAME, which no compound may lack (RFC 3550 §6.1)."""
    name = cname.encode()[:255]
    item = pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(SDES, 1, item + bytes(-len(item) % 4))


def nack(sender: int, media: int, sequences: Sequence[int]) -> bytes:
    """A generic NACK for 16-bit sequence numbers in ascending order (RFC 4585 §6.2.1)."""
    entries: list[list[int]] = []
    for sequence in sequences:
        if entries and 0 < sequence - entries[-1][0] <= 16:
            entries[-1][1] |= 1 << (sequence - entries[-1][0] - 1)
        else:
            entries.append([sequence, 0])
    body = b"".join(pack("!HH", first & 0xFFFF, mask) for first, mask in entries)
    return _packet(RTPFB, NACK, pack("!II", sender, media) + body)


def picture_loss(sender: int, media: int) -> bytes:
    """A PLI (RFC 4585 §6.3.1)."""
    return _packet(PSFB, PLI, pack("!II", sender, media))


def full_intra(sender: int, media: int, sequence: int) -> bytes:
    """An FIR, the `sequence`-th of this sender for this source, modulo 256 (RFC 5104 §4.3.1)."""
    return _packet(PSFB, FIR, pack("!IIII", sender, 0, media, sequence << 24))


def remb(sender: int, bitrate: int, sources: Sequence[int]) -> bytes:
    """A receiver's estimated maximum bitrate, bits per second."""
    exponent = max(bitrate.bit_length() - 18, 0)
    head = pack(
        "!II4sI", sender, 0, b"REMB", len(sources) << 24 | exponent << 18 | bitrate >> exponent
    )
    return _packet(PSFB, AFB, head + b"".join(pack("!I", source) for source in sources))


def transport_feedback(sender: int, media: int, body: bytes) -> bytes:
    """A transport-wide feedback packet around the body that `twcc` writes."""
    return _packet(RTPFB, TWCC, pack("!II", sender, media) + body)


def _packet(kind: int, form: int, body: bytes) -> bytes:
    assert len(body) % 4 == 0
    return pack("!BBH", 0x80 | form, kind, len(body) // 4) + body
