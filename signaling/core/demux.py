"""Which protocol a datagram on the one media port belongs to (RFC 7983, RFC 5761)."""

from enum import Enum


class Protocol(Enum):
    """The protocols that share the port."""

    STUN = "stun"
    DTLS = "dtls"
    RTP = "rtp"
    RTCP = "rtcp"
    UNKNOWN = "unknown"


def classify(datagram: bytes) -> Protocol:
    """Tell by the first byte (RFC 7983 §7), RTP from RTCP by the second (RFC 5761 §4)."""
    if len(datagram) < 2:
        return Protocol.UNKNOWN
    first = datagram[0]
    if 128 <= first <= 191:
        return Protocol.RTCP if 192 <= datagram[1] <= 223 else Protocol.RTP
    if first <= 3:
        return Protocol.STUN
    if 20 <= first <= 63:
        return Protocol.DTLS
    return Protocol.UNKNOWN
