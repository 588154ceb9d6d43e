"""Squeezed, a viewer drops to what fits; relieved, it climbs back; a failed climb rests longer."""

from live.relay.core.layers import (
    PROBE_MOST_S,
    PROBE_S,
    QUEUE_MOST_S,
    Layer,
    LayerChoice,
    Sight,
    allowed,
)
from live.relay.core.path_reports import Tidings

LADDER = (Layer(0, 150_000, 180), Layer(1, 500_000, 360), Layer(2, 1_700_000, 720))


class Viewer:
    """A viewer behind a link of some bits per second, whose estimate lags as a browser's."""

    def __init__(self, link_bps: int) -> None:
        self.link_bps = link_bps
        self.estimate = 300_000.0
        self.choice = LayerChoice()
        self.layer: int | None = 2
        self.switches = 0
        self.probe = 0
        self.sent = self.lost = 0

    def live(self, start: float, seconds: float) -> float:
        """Decide five times a second; the second when the layer last changed."""
        changed = start
        for n in range(int(seconds * 5)):
            now = start + n / 5
            rate = LADDER[self.layer or 0].bitrate + self.probe
            loss = max(0.0, 1 - self.link_bps / rate)
            self.sent += (packets := rate // 45_000)
            self.lost += int(packets * loss)
            tidings = Tidings(now, self.sent, self.lost)
            sight = Sight(int(self.estimate), loss, tidings=tidings)
            choice = self.choice.decide(LADDER, self.layer, sight, now)
            if choice.layer != self.layer:
                self.layer, changed = choice.layer, now
                self.switches += 1
            self.probe = choice.probe_bps
            sent = min(rate, self.link_bps)
            if loss:
                self.estimate = min(self.estimate, 0.85 * sent)
            else:
                self.estimate = max(min(self.estimate * 1.016, 1.5 * sent), self.estimate / 1.1)
        return changed


def test_squeezed_viewer_fits_within_three_seconds_and_climbs_back_within_ten() -> None:
    viewer = Viewer(5_000_000)
    viewer.estimate = 4_000_000
    viewer.live(0.0, 10)
    assert viewer.layer == 2
    viewer.link_bps = 400_000
    assert viewer.live(10.0, 15) - 10.0 <= 3
    assert viewer.layer == 0
    viewer.link_bps = 5_000_000
    viewer.live(25.0, 10)
    assert viewer.layer == 2


def test_a_link_between_two_layers_is_not_shaken() -> None:
    viewer = Viewer(1_200_000)
    viewer.live(0.0, 15)
    assert viewer.layer == 1
    viewer.switches = 0
    viewer.live(15.0, 60)
    assert viewer.layer == 1
    assert viewer.switches == 0


def test_without_an_estimate_loss_alone_decides() -> None:
    choice = LayerChoice()
    assert choice.decide(LADDER, None, Sight(None, 0.0), 0.0).layer == 2
    assert choice.decide(LADDER, 2, Sight(None, 0.3), 1.0).layer == 1
    assert choice.decide(LADDER, 1, Sight(None, 0.3), 1.2).layer == 1
    assert choice.decide(LADDER, 1, Sight(None, 0.0), 3.0).layer == 1
    assert choice.decide(LADDER, 1, Sight(None, 0.0), 7.5).layer == 2


def test_layers_that_are_too_high_or_silent_are_not_chosen() -> None:
    assert [layer.index for layer in allowed(LADDER, 400)] == [0, 1]
    assert [layer.index for layer in allowed(LADDER, 90)] == [0]
    choice = LayerChoice()
    assert choice.decide(LADDER[:2], 2, Sight(9_000_000, 0.0), 0.0).layer == 1
    assert choice.decide((), 2, Sight(None, 0.0), 0.0).layer is None


def test_a_first_estimate_of_what_came_until_then_costs_no_layer_but_a_fall_after_it_does() -> None:
    choice = LayerChoice()
    assert choice.decide(LADDER, 2, Sight(None, 0.0), 0.0).layer == 2
    for n in range(5):
        assert choice.decide(LADDER, 2, Sight(1_690_000, 0.0), 4.0 + n / 5).layer == 2
    assert choice.decide(LADDER, 2, Sight(1_500_000, 0.0), 5.0).layer == 1


def test_a_first_estimate_of_much_less_than_the_layer_is_believed() -> None:
    choice = LayerChoice()
    assert choice.decide(LADDER, 2, Sight(None, 0.0), 0.0).layer == 2
    assert choice.decide(LADDER, 2, Sight(400_000, 0.0), 4.0).layer == 0


def test_a_lean_second_does_not_undo_what_a_probe_has_proven() -> None:
    choice, now, layer = LayerChoice(), 0.0, 0
    while layer == 0:
        heard = Sight(350_000, 0.0, tidings=Tidings(now))
        layer = choice.decide(LADDER[:2], layer, heard, now).layer or 0
        now += 0.2
        assert now < 10, "the probe did not lead up"
    lean = (LADDER[0], Layer(1, 290_000, 360))
    for second in range(8):
        ladder = lean if second % 2 else LADDER[:2]
        for _ in range(5):
            assert choice.decide(ladder, 1, Sight(350_000, 0.0), now).layer == 1
            now += 0.2
    assert choice.decide(LADDER[:2], 1, Sight(250_000, 0.0), now).layer == 0


def probed(heard: Tidings | None, estimate: int = 170_000) -> int | None:
    """The layer after a probe from the lowest one, begun at zero, of which this is told."""
    choice, before = LayerChoice(), Sight(estimate, 0.0, tidings=Tidings(-1.0, 100, 7))
    assert choice.decide(LADDER, 0, before, 0.0).probe_bps > LADDER[1].bitrate - LADDER[0].bitrate
    return choice.decide(LADDER, 0, Sight(estimate, 0.0, tidings=heard), PROBE_S + 0.2).layer


def test_only_a_report_of_a_whole_probe_that_came_through_leads_up() -> None:
    whole = PROBE_S + 0.1
    assert probed(Tidings(whole, 200, 8)) == 1
    assert probed(Tidings(PROBE_S / 2, 150, 7)) == 0
    assert probed(Tidings(-1.0, 100, 7)) == 0
    assert probed(None) == 0
    assert probed(Tidings(whole, 200, 20)) == 0
    assert probed(Tidings(whole, 200, 7, QUEUE_MOST_S + 0.01)) == 0


def test_what_the_last_probe_lost_does_not_fail_the_next_one() -> None:
    choice = LayerChoice()
    words = [Tidings(0.0, 100, 7), Tidings(0.2, 128, 9), *(Tidings(n / 5, 150, 9) for n in (2, 7))]
    sights = [Sight(170_000, 0.0, tidings=heard) for heard in words]
    layers = [
        choice.decide(LADDER, 0, sight, at)
        for sight, at in zip(sights, (0, 0.2, 0.4, 1.4), strict=True)
    ]
    assert all(layer.probe_bps for layer in layers[:-1])
    assert layers[-1].layer == 1


def test_a_probe_that_nobody_judges_ends() -> None:
    choice, sight = LayerChoice(), Sight(170_000, 0.0)
    probing = [choice.decide(LADDER, 0, sight, n / 5).probe_bps > 0 for n in range(25)]
    assert all(probing[: int(PROBE_MOST_S * 5)])
    assert not any(probing[int(PROBE_MOST_S * 5) + 1 :])


def test_trouble_at_the_lowest_layer_does_not_put_the_next_probe_off() -> None:
    choice = LayerChoice()
    for n in range(20):
        assert choice.decide(LADDER, 0, Sight(100_000, 0.3), n / 5).layer == 0
    assert choice.decide(LADDER, 0, Sight(100_000, 0.0), 4.0).probe_bps > 0


def test_loss_leads_to_what_came_through_at_once() -> None:
    choice = LayerChoice()
    assert choice.decide(LADDER, None, Sight(None, 0.0), 0.0).layer == 2
    assert choice.decide(LADDER, 2, Sight(None, 0.75), 1.0).layer == 0


def test_a_layer_whose_lines_are_unknown_is_ranked_by_its_bitrate() -> None:
    ladder = (Layer(0, 150_000, 180), Layer(1, 500_000, 360), Layer(2, 1_700_000))
    assert [layer.index for layer in allowed(ladder, None)] == [0, 1, 2]
