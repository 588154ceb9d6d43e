"""Feedback behind a report where that must be, alone where it may, in few datagrams."""

import pytest
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket

from live.relay.core import rtcp
from live.relay.core.compounds import COMPOUND_BYTES, compounds

PLI = rtcp.picture_loss(1, 2)


def test_nothing_to_tell_is_not_told() -> None:
    for reduced in (True, False):
        assert list(compounds(1, [], reduced=reduced)) == []
        assert list(compounds(1, [b"", b""], reduced=reduced)) == []


def test_feedback_travels_together_and_behind_a_report_with_a_name() -> None:
    (whole,) = compounds(1, [PLI, b"", PLI + PLI], reduced=False)
    report, name, *feedback = RtcpPacket.parse(whole)
    assert isinstance(report, RtcpRrPacket)
    assert report.reports == []
    assert isinstance(name, RtcpSdesPacket)
    assert [chunk.items for chunk in name.chunks] == [[(1, b"kkot")]]
    assert len(feedback) == 3
    assert list(compounds(1, [PLI, b"", PLI], reduced=True)) == [PLI + PLI]


@pytest.mark.parametrize("reduced", [True, False])
def test_much_feedback_takes_several_datagrams(reduced: bool) -> None:
    told = [rtcp.nack(1, 2, range(0, 200 * 17, 17)) for _ in range(5)]
    made = list(compounds(1, told, reduced=reduced))
    assert len(made) == 5
    assert all(len(datagram) <= COMPOUND_BYTES for datagram in made)
    for datagram in made:
        (first, *_) = RtcpPacket.parse(datagram)
        assert isinstance(first, RtcpRrPacket) is not reduced
