"""What an answer says: RFC 9725 §4.4, draft-ietf-wish-whep-03 §4.5, RFC 8839, RFC 9143."""

import re
from typing import Final

from tests.conformance import offers
from tests.conformance.door import Door
from tests.conformance.offers import Transport
from tests.conformance.outcomes import NotShown
from tests.conformance.sdp import Description
from tests.conformance.stage import connected

UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
REFUSED_WHOLE: Final = (400, 422)


async def assert_whole_or_refused(door: Door, offer: str, sections: int) -> None:
    """Every section is accepted, or the offer is refused as §4.4.2 and §4.4.3 say."""
    response = await door.post(offer)
    if response.status_code == 201:
        media = Description(response.text).media
        accepted = [each for each in media if each.port and each.direction == door.answered]
        assert len(accepted) == sections, "only a part of the offer was accepted"
    else:
        assert response.status_code in REFUSED_WHOLE, f"answered with {response.status_code}"


async def test_the_answer_has_one_direction(door: Door) -> None:
    answer = (await door.open()).answer
    assert {section.direction for section in answer.media} == {door.answered}


async def test_the_answer_mirrors_the_offer(door: Door) -> None:
    for kinds in (("audio", "video"), ("video", "audio"), ("video",), ("audio",)):
        text = offers.offer(door.protocol, Transport(), kinds)
        answer = (await door.open(offer=text)).answer
        offered = [(section.kind, section.first("mid")) for section in Description(text).media]
        assert [(section.kind, section.first("mid")) for section in answer.media] == offered
        await door.close()


async def test_all_media_are_bundled(door: Door) -> None:
    answer = (await door.open()).answer
    assert answer.bundle == [section.first("mid") for section in answer.media]


async def test_rtcp_is_multiplexed(door: Door) -> None:
    answer = (await door.open()).answer
    assert all(section.has("rtcp-mux") for section in answer.media)


async def test_rtcp_mux_only_is_said(door: Door) -> None:
    answer = (await door.open()).answer
    assert all(section.has("rtcp-mux-only") for section in answer.media)


async def test_a_bundle_only_section_is_taken(door: Door) -> None:
    head, _, video = door.offer().partition("m=video 9 ")
    answer = (await door.open(offer=f"{head}m=video 0 {video}a=bundle-only\r\n")).answer
    assert [section.direction for section in answer.media] == [door.answered] * 2
    assert answer.bundle == ["0", "1"]


async def test_all_media_are_one_stream(door: Door) -> None:
    answer = (await door.open()).answer
    streams = [section.first("msid") for section in answer.media]
    assert all(streams), "a section has no msid"
    assert len({str(stream).split()[0] for stream in streams}) == 1


async def test_two_tracks_of_a_kind_are_whole_or_refused(door: Door) -> None:
    for kinds in (("audio", "audio"), ("video", "audio", "video")):
        text = offers.offer(door.protocol, Transport(), kinds)
        await assert_whole_or_refused(door, text, len(kinds))


async def test_two_streams_are_whole_or_refused(door: Door) -> None:
    text = offers.offer(door.protocol, Transport(), streams=("one", "another"))
    await assert_whole_or_refused(door, text, 2)


async def test_nothing_is_answered_in_part(door: Door) -> None:
    response = await door.post(offers.with_unknown_video(door.offer()))
    assert response.status_code in REFUSED_WHOLE, f"answered with {response.status_code}"


async def test_a_dtls_role_is_chosen(door: Door) -> None:
    answer = (await door.open()).answer
    roles = set(answer.anywhere("setup"))
    assert roles in ({"active"}, {"passive"})
    assert answer.fingerprints


async def test_an_active_offer_is_passive_or_refused(door: Door) -> None:
    response = await door.post(door.offer().replace("setup:actpass", "setup:active"))
    if response.status_code == 201:
        assert set(Description(response.text).anywhere("setup")) == {"passive"}
    else:
        assert response.status_code in REFUSED_WHOLE, f"answered with {response.status_code}"


async def test_simulcast_is_answered_in_kind(door: Door) -> None:
    text = offers.offer(door.protocol, Transport(), simulcast=True)
    video = (await door.open(offer=text)).answer.media[1]
    simulcast = video.first("simulcast")
    if simulcast is None:
        raise NotShown("one layer is asked for")
    way, _, layers = simulcast.partition(" ")
    rids = [each.lstrip("~") for part in layers.split(";") for each in part.split(",")]
    assert way == "recv"
    assert set(rids) <= {"h", "m", "l"}
    told = {value.split()[0]: value.split()[1] for value in video.all("rid")}
    assert {rid: told.get(rid) for rid in rids} == dict.fromkeys(rids, "recv")


async def test_ice_credentials_are_strong(door: Door) -> None:
    answer, other = (session.answer for session in await door.one_by_one(2))
    assert all(UFRAG.fullmatch(value) for value in answer.anywhere("ice-ufrag"))
    assert all(PASSWORD.fullmatch(value) for value in answer.anywhere("ice-pwd"))
    assert (other.ufrag, other.password) != (answer.ufrag, answer.password)


async def test_ice_lite_is_said(door: Door) -> None:
    async with connected(door) as client:
        lite = client.session.answer.session.has("ice-lite")
        assert lite or client.peer.server_checked, "neither a=ice-lite nor a check by the server"


def ice_options(answer: Description) -> set[str]:
    """The options of a=ice-options at either level (RFC 8839 §5.6)."""
    return {option for value in answer.anywhere("ice-options") for option in value.split()}


async def test_ice2_is_said(door: Door) -> None:
    assert "ice2" in ice_options((await door.open()).answer)


async def test_trickle_is_said(door: Door) -> None:
    session = await door.open()
    await session.trickle(offers.host("192.0.2.7", 50_000))
    assert "trickle" in ice_options(session.answer)


async def test_all_candidates_are_in_the_answer(door: Door) -> None:
    async with connected(door) as client:
        assert client.session.answer.candidates


async def test_the_end_of_candidates_is_said(door: Door) -> None:
    answer = (await door.open()).answer
    assert answer.anywhere("end-of-candidates")


async def test_offers_with_candidates_are_taken(door: Door) -> None:
    lines = [f"a=candidate:{each}" for each in (offers.host("192.0.2.7", 50_000), offers.MDNS)]
    text = door.offer().replace("a=rtcp-mux\r\n", "\r\n".join(["a=rtcp-mux", *lines, ""]), 1)
    assert (await door.post(text)).status_code == 201
