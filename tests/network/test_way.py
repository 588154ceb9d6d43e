"""How an answer is led over the proxy."""

from tests.network.way import led

ANSWER = (
    "v=0\r\nm=video 8189 UDP/TLS/RTP/SAVPF 102\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 8189 typ host\r\n"
    "a=candidate:2 1 udp 2130706430 10.0.0.1 8189 typ host\r\n"
    "a=candidate:3 1 tcp 1671430143 10.0.0.1 8189 typ host tcptype passive\r\n"
    "a=end-of-candidates\r\na=ice-ufrag:abcd\r\n"
)


def test_the_only_candidate_of_an_answer_is_the_proxy() -> None:
    assert led(ANSWER, 4_000) == (
        "v=0\r\nm=video 8189 UDP/TLS/RTP/SAVPF 102\r\n"
        "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r\n"
        "a=end-of-candidates\r\na=ice-ufrag:abcd\r\n"
    )


def test_what_is_no_answer_stays_as_it_is() -> None:
    assert led('{"status": 409}', 4_000) == '{"status": 409}'
