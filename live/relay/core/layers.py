"""Which simulcast layer a viewer gets: down fast, up only after the path has been tried.

A viewer's estimate cannot rise far above what it receives, it rises slowly (a twelfth in a second,
draft-ietf-rmcat-gcc-02 §5.5), and once it lies below what the path carries it tells neither of
trouble nor of relief. So before a climb the viewer is sent as much as the next layer needs, and
its reports are the judges: only one that tells of a whole probe, that nearly everything came and
that no queue stands, leads up. What is lost to a probe costs it, not the layer beneath. A probe
that fails, and a climb that is soon taken back, double the rest before the next one, up to a bound:
nothing but a probe can find out that a path is free again. At the lowest layer there is nothing to
drop, so trouble there does not put the next probe off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from live.relay.core.path_reports import Tidings

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
CLIMB_EVERY_S: Final = 0.5
"""After a climb the next probe waits for its key frame."""
PROBE_S: Final = 1.0
"""Of a probe, so long must have been reported before a climb."""
PROBE_MOST_S: Final = 4.0
"""A probe that no report judges has failed."""
PROBE_LOSS: Final = 0.05
"""Of what was sent to a probe, more loss than this means that it failed."""
PROBE_BEGINS_S: Final = 0.4
"""The reports of a probe's beginning still tell of the one before it: that its last packets were
lost shows when packets of this one come after them."""
PROBE_SETTLE_S: Final = 2.5
"""So long after a failed probe its losses are still in the reports."""
QUEUE_MOST_S: Final = 0.15
"""A probe that makes packets wait longer than this has failed."""
REST_S: Final = 1.0
REST_MOST_S: Final = 2.5
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
    the most lines it wants, and its last report."""

    estimate: int | None
    loss: float
    max_height: int | None = None
    tidings: Tidings | None = None


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
        self._probed_from = Sight(None, 0.0)
        """The estimate when the probe began; what its losses are counted from."""
        self._proven: float | None = None
        """The highest estimate since a probe showed the path to carry more than that."""
        self._told = False
        self._rest_s = REST_S
        self._rest_until = 0.0
        self._climbed_at = float("-inf")
        self._loss_from = float("-inf")
        """Until then, loss is of the time before a drop, or of a probe."""

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
        if rung and self._is_too_much(ladder[rung], sight, now):
            return Choice(ladder[self._drop(ladder, rung, sight, now)].index)
        if rung + 1 < len(ladder):
            return self._look_up(ladder[rung], ladder[rung + 1], sight, now)
        self._probing_since = None
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
        return sight.loss > LOSS_MOST and self._probing_since is None and now > self._loss_from

    def _drop(self, ladder: Sequence[Layer], rung: int, sight: Sight, now: float) -> int:
        """One rung at least, and to what fits the estimate and what came through."""
        lower = rung - 1
        if sight.estimate is not None:
            lower = min(lower, _fitting(ladder, sight.estimate))
        if sight.loss > LOSS_MOST:
            lower = min(lower, _fitting(ladder, int(ladder[rung].bitrate * (1 - sight.loss))))
        if now - self._climbed_at < FAILED_WITHIN_S:
            self._rest_s = min(self._rest_s * 2, REST_MOST_S)
        self._loss_from, self._rest_until = now + SETTLE_S, now + self._rest_s
        self._enough_since = self._probing_since = self._proven = None
        return lower

    def _look_up(self, here: Layer, above: Layer, sight: Sight, now: float) -> Choice:
        is_probing = self._probing_since is not None
        if not is_probing and (sight.loss > LOSS_CLEAN or now < self._rest_until):
            self._enough_since = None
            return Choice(here.index)
        if sight.estimate is None:
            enough, long = True, BLIND_S
        else:
            enough, long = sight.estimate >= int(above.bitrate * HEADROOM), STEADY_S
        if not enough:
            self._enough_since = None
        elif self._enough_since is None:
            self._enough_since = now
        if self._enough_since is not None and now - self._enough_since >= long:
            return self._climb(above, now)
        if enough and not is_probing:
            return Choice(here.index)
        if not is_probing:
            self._probing_since, self._probed_from = now, sight
        return self._probe(here, above, sight, now)

    def _probe(self, here: Layer, above: Layer, sight: Sight, now: float) -> Choice:
        began, heard = self._probing_since, sight.tidings
        assert began is not None
        is_told = heard is not None and heard.at > began
        if heard is not None and heard.at - began < PROBE_BEGINS_S:
            self._probed_from = replace(self._probed_from, tidings=heard)
        if now - began > PROBE_MOST_S or self._has_failed(sight, is_told=is_told):
            return self._rest(here, now)
        if is_told and heard is not None and heard.at - began >= PROBE_S:
            self._proven = sight.estimate
            return self._climb(above, now)
        return Choice(here.index, max(int(above.bitrate * HEADROOM) - here.bitrate, 0))

    def _has_failed(self, sight: Sight, *, is_told: bool) -> bool:
        """Whether the estimate fell since the probe began, or a report tells of loss or a queue."""
        before, heard = self._probed_from, sight.tidings
        if sight.estimate is not None and sight.estimate < (before.estimate or 0) * FITS:
            return True
        if heard is None or not is_told:
            return False
        start = before.tidings or Tidings(heard.at)
        lost, sent = heard.lost - start.lost, heard.sent - start.sent
        return heard.queue_s > QUEUE_MOST_S or lost > sent * PROBE_LOSS

    def _climb(self, above: Layer, now: float) -> Choice:
        self._climbed_at, self._rest_until = now, now + CLIMB_EVERY_S
        self._enough_since = self._probing_since = None
        return Choice(above.index)

    def _rest(self, here: Layer, now: float) -> Choice:
        """A probe failed: what was lost to it says nothing about the layer beneath."""
        self._probing_since = None
        self._loss_from = now + PROBE_SETTLE_S
        self._rest_until = now + self._rest_s
        self._rest_s = min(self._rest_s * 2, REST_MOST_S)
        return Choice(here.index)


def allowed(layers: Sequence[Layer], max_height: int | None) -> list[Layer]:
    """The layers that are not too high, smallest first; the smallest is always allowed.
    Bitrates alone tell which is smaller while a height is unknown."""
    heights_known = all(layer.height is not None for layer in layers)
    ladder = sorted(
        layers, key=lambda layer: (layer.height or 0 if heights_known else 0, layer.bitrate)
    )
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
