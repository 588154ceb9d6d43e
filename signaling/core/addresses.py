"""Which candidates an answer carries, of the addresses that are known (RFC 8445 §5.1)."""

from collections.abc import Sequence

from signaling.core.answer import Candidate
from signaling.core.reflexive import Reflexive


def candidates(
    hosts: Sequence[str], reflexive: Sequence[Reflexive], udp_port: int, tcp_port: int
) -> list[Candidate]:
    """UDP before TCP, hosts in their order before what STUN servers saw; `tcp_port` 0: no TCP.

    A translator that keeps our UDP port is taken for one that stands for the whole machine (a
    cloud's public address): TCP is offered there too. A reflexive address that is one of the hosts'
    is redundant (§5.1.3).
    """
    udp = [Candidate(host, udp_port, "udp") for host in hosts]
    known = {(host, udp_port) for host in hosts}
    seen = [each for each in reflexive if (each.host, each.port) not in known]
    udp += [Candidate(s.host, s.port, "udp", (s.base_host, s.base_port)) for s in seen]
    if not tcp_port:
        return udp
    tcp = [Candidate(host, tcp_port, "tcp") for host in hosts]
    whole = [each for each in seen if each.port == each.base_port]
    return udp + tcp + [Candidate(s.host, tcp_port, "tcp", (s.base_host, tcp_port)) for s in whole]
