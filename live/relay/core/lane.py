"""One kind of media on its way to the viewers: numbered on for ever, remembered for a while.

Towards viewers a lane has one SSRC, contiguous sequence numbers and running timestamps for as
long as the show lasts, whoever publishes. The last `HISTORY` packets are kept: to repeat what a
viewer missed, and to start a new viewer at the latest key frame.
"""

from collections import deque
from struct import pack
from typing import Final

from live.relay.core.codecs import KEY_FRAME
from live.relay.core.picture_size import lines
from live.relay.core.rtp import Header, header
from live.relay.core.seq import Unwrapper
from live.relay.core.splice import Place
from signaling.ports import Codec

HISTORY: Final = 2048
"""Packets kept; older ones are forgotten."""
LATE_MOST: Final = 1000
"""So far behind the newest a packet may be sent under its own number; SRTP senders refuse to
encrypt what is older than their replay window, 1024 (RFC 3711 §3.3.2)."""
GAP_MOST: Final = 1000
"""Packets that may be missing in a row; a longer gap is not passed on."""
CACHE_AGE_S: Final = 12.0
"""A key frame older than this does not start a viewer: too much would have to be caught up."""
CACHE_PACKETS: Final = 1600
SILENCE_S: Final = 1.0
"""A lane that brought nothing for so long cannot be switched to."""
SHIFTS: Final = 64
"""Left-out packets whose forerunners may still come late; the oldest is forgotten."""
NTP_MASK: Final = (1 << 64) - 1


class Lane:
    """The egress of one kind, or of one of its layers. Timestamps tell the time since `epoch`, so
    that all layers of a kind lie on one line."""

    def __init__(
        self, codec: Codec, ssrc: int, rtx_ssrc: int, sequence: int, epoch: float = 0.0
    ) -> None:
        self.codec = codec
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.head = sequence
        """The extended number after the newest packet's."""
        self.packets = 0
        self.octets = 0
        self.key_at: float | None = None
        self.key_frames = 0
        self.bitrate = 0
        """Bits per second of payload, over about the last second."""
        self.height: int | None = None
        """Lines of the picture, where its codec tells them."""
        self._measured = (epoch, 0)
        self._epoch = epoch
        self._key_start: int | None = None
        self._key_timestamp = -1
        self._codec_name = codec.name.upper()
        self._is_key = KEY_FRAME.get(self._codec_name)
        self._history: list[bytes | None] = [None] * HISTORY
        self._numbers = [-1] * HISTORY
        self._sequence_offset: int | None = None
        self._offset_from = 0
        self._offsets_before: deque[tuple[int, int]] = deque(maxlen=SHIFTS)
        self._floor = sequence
        self._timestamp_offset = 0
        self._timestamps = Unwrapper(32)
        self._last = (0, float("-inf"))
        self._clocks: tuple[int, int, float] | None = None

    def restart(self) -> None:
        """Another publisher takes over: the next packet continues where the last one ended."""
        self._sequence_offset = None
        self._timestamps = Unwrapper(32)
        self._key_start = self.key_at = self._clocks = None

    def fall_silent(self) -> None:
        """Whoever publishes now does not send this layer."""
        self._last = (self._last[0], float("-inf"))

    def forward(
        self, packet: bytes, head: Header, number: int, start: int, now: float, form: int = 0
    ) -> tuple[int, bytes, bool] | None:
        """A received packet as viewers get it: its number, its bytes with payload type `form`, and
        whether it begins a key frame. None when it is too old, or from before the first one.

        `number`: its extended sequence number; `start`: where its payload begins. What is only
        padding is left out where it is the newest and whole with what came before; elsewhere it
        goes out empty, so that nobody misses its number.
        """
        timestamp = self._timestamps.unwrap(head.timestamp)
        if self._sequence_offset is None:
            self._align(number, timestamp, now)
        assert self._sequence_offset is not None
        offset = self._sequence_offset
        if number < self._offset_from:
            before = self._offset_before(number)
            if before is None:
                return None
            offset = before
        outgoing = number + offset
        if start == head.stop and outgoing == self.head and number >= self._offset_from:
            self._leave_out(number)
            return None
        if outgoing < self._floor or outgoing < self.head - LATE_MOST:
            return None
        if outgoing > self.head + GAP_MOST:
            outgoing = self._close_gap(outgoing)
        timestamp += self._timestamp_offset
        payload = packet[start : head.stop]
        whole = header(head.marker, form, outgoing, timestamp, self.ssrc) + payload
        slot = outgoing % HISTORY
        self._history[slot], self._numbers[slot] = whole, outgoing
        if outgoing >= self.head:
            self.head = outgoing + 1
            self._last = (timestamp, now)
        self.packets += 1
        self.octets += len(payload)
        if self._is_key is None or not self._is_key(payload):
            return outgoing, whole, False
        self.height = lines(self._codec_name, payload) or self.height
        return outgoing, whole, self._note_key(outgoing, timestamp, now)

    def recall(self, number: int) -> bytes | None:
        """A remembered packet by its extended number."""
        slot = number % HISTORY
        return self._history[slot] if self._numbers[slot] == number else None

    def recall_by_sequence(self, sequence: int, most_behind: int = HISTORY) -> bytes | None:
        """A remembered packet by its 16-bit number, if it is not too far behind the newest."""
        newest = self.head - 1
        behind = newest - sequence & 0xFFFF
        return self.recall(newest - behind) if behind < most_behind else None

    def fast_start(self, now: float) -> int | None:
        """Where a new viewer may start; None when the last key frame is too far back."""
        if self._key_start is None or self.key_at is None:
            return None
        if now - self.key_at > CACHE_AGE_S or self.head - self._key_start > CACHE_PACKETS:
            return None
        return self._key_start

    def flows(self, now: float) -> bool:
        """Whether packets came within the last `SILENCE_S`."""
        return now - self._last[1] < SILENCE_S

    def measure(self, now: float) -> None:
        """Note the bitrate, once a second has passed."""
        at, octets = self._measured
        if now - at >= 1:
            self.bitrate = int((self.octets - octets) * 8 / (now - at))
            self._measured = (now, self.octets)

    def newest(self) -> Place:
        """The newest packet."""
        return Place(self.head - 1, self._last[0], self.recall(self.head - 1))

    def key_place(self, number: int) -> Place:
        """The beginning, at `number`, of the newest key frame."""
        return Place(number, self._key_timestamp, self.recall(number))

    def clocks(self, ntp: int, timestamp: int, now: float) -> None:
        """The publisher's report told its clocks."""
        if self._sequence_offset is not None:
            extended = self._timestamps.unwrap(timestamp) + self._timestamp_offset
            self._clocks = (ntp, extended, now)

    def clocks_now(self, now: float) -> tuple[int, int] | None:
        """NTP time and egress timestamp of `now`, by the publisher's clock; None until it told."""
        if self._clocks is None:
            return None
        ntp, timestamp, at = self._clocks
        elapsed = now - at
        ntp = ntp + int(elapsed * 2**32) & NTP_MASK
        return ntp, timestamp + int(elapsed * self.codec.clock_rate)

    def _align(self, number: int, timestamp: int, now: float) -> None:
        running = int((now - self._epoch) * self.codec.clock_rate)
        if self.packets:
            running = max(running, self._last[0] + 1)
        self._sequence_offset = self.head - number
        self._offset_from = 0
        self._offsets_before.clear()
        self._floor = self.head
        self._timestamp_offset = running - timestamp

    def _leave_out(self, number: int) -> None:
        """What follows this number goes out one less; what came before it may yet come late."""
        assert self._sequence_offset is not None
        self._offsets_before.append((self._offset_from, self._sequence_offset))
        self._sequence_offset -= 1
        self._offset_from = number + 1

    def _offset_before(self, number: int) -> int | None:
        """The offset of a number from before the last one left out; None when it is forgotten."""
        for begin, offset in reversed(self._offsets_before):
            if number >= begin:
                return offset
        return None

    def _close_gap(self, outgoing: int) -> int:
        """Too much is missing to be repeated: leave one number out, so that viewers notice."""
        assert self._sequence_offset is not None
        self._floor = self.head + 1
        self._sequence_offset -= outgoing - self._floor
        return self._floor

    def _note_key(self, number: int, timestamp: int, now: float) -> bool:
        """Remember where the newest key frame begins; True when it is a new one."""
        if timestamp == self._key_timestamp and self._key_start is not None:
            self._key_start = min(self._key_start, number)
            return False
        if self._key_start is not None and number < self._key_start:
            return False  # repeated late, and a newer one is known
        self._key_timestamp, self._key_start, self.key_at = timestamp, number, now
        self.key_frames += 1
        return True


def retransmission(packet: bytes, payload_type: int, ssrc: int, sequence: int) -> bytes:
    """A packet wrapped for RTX (RFC 4588 §4)."""
    head = pack("!BBH", 0x80, packet[1] & 0x80 | payload_type, sequence & 0xFFFF)
    return head + packet[4:8] + pack("!I", ssrc) + packet[2:4] + packet[12:]
