"""ICE over restarts, in virtual time: both credentials count until the new ones are nominated."""

from signaling.core import stun
from signaling.core.ice_lite import CONSENT_S, IceLite, Ignored, Nominated, Rejected, Reply
from signaling.core.ice_session import IceSession

PASSWORD = "0123456789abcdef0123456789abcdef"


def check(
    session: IceSession, name: str, source: str, now: float = 0.0, *, nominate: bool = False
) -> Reply | Nominated | Rejected | Ignored:
    """A check under `name`, whose password is the name's own."""
    attributes = [(stun.USERNAME, f"{name}:their-{name}".encode())]
    if nominate:
        attributes.append((stun.USE_CANDIDATE, b""))
    datagram = stun.build(stun.BINDING_REQUEST, b"transaction!", attributes, ice_password(name))
    return session.receive(stun.parse(datagram), source, "192.0.2.9", 4000, now)


def ice_password(name: str) -> bytes:
    return (name + PASSWORD).encode()


def ice(name: str, now: float = 0.0) -> IceLite:
    return IceLite(name, ice_password(name).decode(), f"their-{name}", now)


def test_both_count_until_the_new_one_is_nominated() -> None:
    session = IceSession(ice("old"))
    assert isinstance(check(session, "old", "wifi", nominate=True), Nominated)
    session.restart(ice("new"))
    assert session.newest.ufrag == "new"
    assert isinstance(check(session, "old", "wifi"), Reply)
    assert isinstance(check(session, "new", "lte"), Reply)
    assert session.ufrags == {"old", "new"}
    assert isinstance(check(session, "new", "lte", nominate=True), Nominated)
    assert session.ufrags == {"new"}
    assert session.sources == {"lte"}
    assert isinstance(check(session, "old", "wifi"), Ignored)


def test_only_the_newest_of_unfinished_restarts_counts() -> None:
    session = IceSession(ice("old"))
    for name in ("one", "two"):
        session.restart(ice(name))
    assert isinstance(check(session, "one", "lte", nominate=True), Ignored)
    assert session.ufrags == {"old", "two"}


def test_an_unfinished_restart_ends_nothing_and_keeps_nothing() -> None:
    session = IceSession(ice("old"))
    session.restart(ice("new", 1.0))
    check(session, "old", "wifi", CONSENT_S)
    assert not session.expired(2 * CONSENT_S)
    assert session.expired(2 * CONSENT_S + 1)


def test_a_source_that_is_lost_is_forgotten_everywhere() -> None:
    session = IceSession(ice("old"))
    check(session, "old", "tcp", nominate=True)
    session.restart(ice("new"))
    check(session, "new", "tcp")
    session.forget("tcp")
    assert session.sources == set()
