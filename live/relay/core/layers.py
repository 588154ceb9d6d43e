"""Which simulcast layer a viewer gets: down fast, up slowly, and up only after having tried.

A viewer's estimate cannot rise far above what it receives, and it rises slowly (a twelfth in a
second, draft-ietf-rmcat-gcc-02 §5.5). So before a climb it is sent as much as the next layer
needs: a probe that costs no packet and no estimate proves the path. A probe or climb that fails
doubles the rest before the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LOSS_MOST: Final = 0.10
"""More loss than this drops a layer."""
LOSS_CLEAN: Final = 0.02
"""More loss than this forbids a climb or a probe."""
FITS: Final = 0.95
"""A layer may take this share of the estimate."""
FIRST_SHARE: Final = 0.9
"""A receiver's first estimate is what has come until then, not what could: one of at least so much
of the layer's bitrate proves that the layer fits."""
HEADROOM: Final = 1.2
"""A climb needs an estimate of so many times the next layer's bitrate."""
STEADY_S: Final = 1.0
"""So long the estimate must be enough before a climb."""
BLIND_S: Final = 4.0
"""Without an estimate: so long the loss must be low before a climb."""
SETTLE_S: Final = 1.0
"""After a drop for loss the next reports still tell of the time before it."""
PROBE_S: Final = 1.5
REST_S: Final = 1.0
REST_MOST_S: Final = 3.0
FAILED_WITHIN_S: Final = 5.0
"""A drop so soon after a climb means that the climb was a mistake."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as it is now: bits per second, and lines where they are known."""

    index: int
    bitrate: int
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a viewer: its estimate in bits per second, the share of packets it lost,
    the most lines it wants."""

    estimate: int | None
    loss: float
    max_height: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The layer to send, None when there is none; bits per second to send beside it as a probe."""

    layer: int | None
    probe_bps: int = 0


class LayerChoice:
    """One viewer's choice over time; ask it a few times a second."""

    def __init__(self) -> None:
        self._enough_since: float | None = None
        self._probing_since: float | None = None
        self._probed_from = 0
        self._proven: float | None = None
        """The highest estimate since a probe showed the path to carry more than that."""
        self._told = False
        self._rest_s = REST_S
        self._rest_until = 0.0
        self._climbed_at = float("-inf")
        self._dropped_at = float("-inf")

    def decide(
        self, layers: Sequence[Layer], current: int | None, sight: Sight, now: float
    ) -> Choice:
        """`layers`: those that flow, in any order; `current`: what the viewer gets."""
        ladder = allowed(layers, sight.max_height)
        if not ladder:
            return Choice(None)
        rung = next((n for n, layer in enumerate(ladder) if layer.index == current), None)
        if rung is None:
            return Choice(ladder[_fitting(ladder, sight.estimate)].index)
        if sight.estimate is not None and not self._told:
            self._told = True
            if sight.estimate >= ladder[rung].bitrate * FIRST_SHARE:
                self._proven = sight.estimate
        if self._probing_since is not None and sight.loss > LOSS_CLEAN:
            self._rest(now)
            return Choice(current)
        if self._is_too_much(ladder[rung], sight, now):
            return Choice(ladder[self._drop(ladder, rung, sight, now)].index)
        if rung + 1 < len(ladder):
            return self._look_up(ladder[rung], ladder[rung + 1], sight, now)
        if now - self._climbed_at > FAILED_WITHIN_S:
            self._rest_s = REST_S
        return Choice(current)

    def _is_too_much(self, layer: Layer, sight: Sight, now: float) -> bool:
        estimate, proven = sight.estimate, self._proven
        if estimate is not None and proven is not None:
            self._proven = max(proven, estimate)
        if (
            estimate is not None
            and estimate * FITS < layer.bitrate
            and (proven is None or estimate < proven * FITS)
        ):
            return now - self._climbed_at > SETTLE_S or sight.loss > LOSS_MOST
        return sight.loss > LOSS_MOST and now - self._dropped_at > SETTLE_S

    def _drop(self, ladder: Sequence[Layer], rung: int, sight: Sight, now: float) -> int:
        lower = max(rung - 1, 0)
        if sight.estimate is not None:
            lower = min(lower, _fitting(ladder, sight.estimate))
        if now - self._climbed_at < FAILED_WITHIN_S:
            self._rest_s = min(self._rest_s * 2, REST_MOST_S)
        self._dropped_at, self._rest_until = now, now + self._rest_s
        self._enough_since = self._probing_since = self._proven = None
        return lower

    def _look_up(self, here: Layer, above: Layer, sight: Sight, now: float) -> Choice:
        if sight.loss > LOSS_CLEAN or now < self._rest_until:
            self._enough_since = None
            return Choice(here.index)
        wanted = int(above.bitrate * HEADROOM)
        if sight.estimate is None:
            enough, long = True, BLIND_S
        else:
            enough, long = sight.estimate >= wanted, STEADY_S
        self._enough_since = (self._enough_since or now) if enough else None
        if self._enough_since is not None and now - self._enough_since >= long:
            return self._climb(above, now)
        if sight.estimate is None or (enough and self._probing_since is None):
            return Choice(here.index)
        return self._probe(here, above, sight.estimate, now)

    def _probe(self, here: Layer, above: Layer, estimate: int, now: float) -> Choice:
        if self._probing_since is None:
            self._probing_since, self._probed_from = now, estimate
        elif estimate < self._probed_from * FITS:
            self._rest(now)
            return Choice(here.index)
        elif now - self._probing_since >= PROBE_S:
            choice = self._climb(above, now)
            self._proven = estimate
            return choice
        return Choice(here.index, max(int(above.bitrate * HEADROOM) - here.bitrate, 0))

    def _climb(self, above: Layer, now: float) -> Choice:
        self._climbed_at, self._rest_until = now, now + SETTLE_S
        self._enough_since = self._probing_since = None
        return Choice(above.index)

    def _rest(self, now: float) -> None:
        """A probe failed: what was lost to it says nothing about the layer beneath."""
        self._probing_since = None
        self._dropped_at = now
        self._rest_until = now + self._rest_s
        self._rest_s = min(self._rest_s * 2, REST_MOST_S)


def allowed(layers: Sequence[Layer], max_height: int | None) -> list[Layer]:
    """The layers that are not too high, smallest first; the smallest is always allowed."""
    ladder = sorted(layers, key=lambda layer: (layer.height or 0, layer.bitrate))
    if max_height is None:
        return ladder
    fit = [layer for layer in ladder if layer.height is None or layer.height <= max_height]
    return fit or ladder[:1]


def _fitting(ladder: Sequence[Layer], estimate: int | None) -> int:
    """The highest rung the estimate can carry; the highest of all while nothing is known."""
    if estimate is None:
        return len(ladder) - 1
    fit = [n for n, layer in enumerate(ladder) if layer.bitrate <= estimate * FITS]
    return max(fit, default=0)
