"""Candidates out of addresses: their order, their priorities, and which are redundant."""

from signaling.core.addresses import candidates
from signaling.core.answer import Candidate, candidate_lines
from signaling.core.reflexive import Reflexive

HOSTS = ["10.0.0.5", "2001:db8::5"]
CLOUD = Reflexive("203.0.113.10", 8189, "10.0.0.5", 8189)
ROUTER = Reflexive("203.0.113.10", 40_000, "10.0.0.5", 8189)
UNTRANSLATED = Reflexive("2001:db8::5", 8189, "2001:db8::5", 8189)


def test_hosts_alone() -> None:
    assert candidates(HOSTS, [], 8189, 0) == [Candidate(host, 8189, "udp") for host in HOSTS]
    assert candidates(HOSTS, [], 8189, 8190)[2:] == [Candidate(host, 8190, "tcp") for host in HOSTS]


def test_a_cloud_address_stands_for_the_machine() -> None:
    found = candidates(HOSTS, [CLOUD], 8189, 8190)
    assert found[2] == Candidate("203.0.113.10", 8189, "udp", ("10.0.0.5", 8189))
    assert found[-1] == Candidate("203.0.113.10", 8190, "tcp", ("10.0.0.5", 8190))
    assert len(found) == 6


def test_behind_a_router_that_changes_ports_only_udp_is_known() -> None:
    found = candidates(HOSTS, [ROUTER], 8189, 8190)
    assert [each for each in found if each.host == "203.0.113.10"] == [
        Candidate("203.0.113.10", 40_000, "udp", ("10.0.0.5", 8189))
    ]


def test_an_address_of_the_machine_itself_is_not_told_twice() -> None:
    assert candidates(HOSTS, [UNTRANSLATED], 8189, 8190) == candidates(HOSTS, [], 8189, 8190)


def test_lines_tell_the_base_and_prefer_hosts_and_udp() -> None:
    lines = candidate_lines(candidates(HOSTS, [CLOUD], 8189, 8190))
    assert lines[2].endswith(" 203.0.113.10 8189 typ srflx raddr 10.0.0.5 rport 8189")
    assert lines[5].endswith(
        " 203.0.113.10 8190 typ srflx raddr 10.0.0.5 rport 8190 tcptype passive"
    )
    assert lines[6] == "a=end-of-candidates"
    priorities = [int(line.split()[3]) for line in lines[:6]]
    assert priorities == sorted(set(priorities), reverse=True)
    assert priorities[0] == 126 << 24 | 0xFFFF << 8 | 255
    assert all(1 <= priority < 2**31 for priority in priorities)
