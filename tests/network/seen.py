"""What came to a viewer's screen in a stretch of time, frame by frame, and what that says."""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: when it was handed to the compositor, in ms since the epoch; how many had been
    by then; its lines; the time its strip says, where the page reads it; and when that was read."""

    at: float
    count: int
    height: int
    drawn: int | None
    seen_at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The frames between two moments, both in ms since the epoch."""

    began: float
    ended: float
    frames: tuple[Frame, ...]

    @property
    def rate(self) -> float:
        """Frames per second; those that the page had no time to note are counted too."""
        if not self.frames:
            return 0.0
        shown = self.frames[-1].count - self.frames[0].count + 1
        return shown * 1000 / (self.ended - self.began)

    @property
    def longest_gap_ms(self) -> float:
        """The longest time without a new frame."""
        moments = [self.began, *(frame.at for frame in self.frames), self.ended]
        return max(after - before for before, after in pairwise(moments))

    @property
    def ages_ms(self) -> list[float]:
        """How old each frame was when it was read, where it says when it was drawn."""
        return [frame.seen_at - frame.drawn for frame in self.frames if frame.drawn is not None]

    def share(self, height: int) -> float:
        """Of the noted frames, those that have so many lines."""
        fitting = sum(frame.height == height for frame in self.frames)
        return fitting / len(self.frames) if self.frames else 0.0

    def since(self, moment: float) -> "Seen":
        """The part from this moment on."""
        return Seen(moment, self.ended, tuple(f for f in self.frames if f.at >= moment))
