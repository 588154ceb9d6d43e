"""What is pinned on top of a room, and when it goes."""

import pytest

from chat.errors import UnavailableError, UnknownError
from tests.chat.house import Event, watching
from tests.chat.street import Street


async def test_a_pinned_saying_is_told_and_goes_when_it_is_deleted(street: Street) -> None:
    async with watching(street.other, "dal") as dal:
        await dal.say("반값 🌸")
        said = await dal.until("said")
        await street.moderating.pin("id-haru", "spring", said["id"])
        assert (await dal.until("room"))["pinned_saying"]["text"] == "반값 🌸"
        await street.moderating.delete("id-dal", "spring", said["id"], "")
        assert (await dal.until("room"))["pinned_saying"] is None


async def test_a_deletion_that_failed_half_way_unpins_when_it_is_repeated(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(street.other, "dal") as dal:
        await dal.say("광고 🌸")
        message = (await dal.until("said"))["id"]
        await street.moderating.pin("id-haru", "spring", message)
        assert (await dal.until("room"))["pinned_saying"]["text"] == "광고 🌸"

        async def away(*_: object) -> None:
            raise UnavailableError

        with monkeypatch.context() as patch:
            patch.setattr(street.one.chat.hub.bus, "publish", away)
            with pytest.raises(UnavailableError):
                await street.moderating.delete("id-dal", "spring", message, "")
        await street.moderating.delete("id-dal", "spring", message, "")
        assert (await dal.until("room"))["pinned_saying"] is None
        assert (await dal.until("deleted"))["id"] == message


async def test_what_is_deleted_while_it_is_pinned_is_not_pinned(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(street.other, "dal") as dal:
        await dal.say("광고 🌸")
        message = (await dal.until("said"))["id"]
        find = street.one.chat.hub.bus.find

        async def found_and_deleted(show: str, saying: str) -> Event | None:
            found = await find(show, saying)
            monkeypatch.undo()
            await street.moderating.delete("id-dal", "spring", message, "")
            return found

        monkeypatch.setattr(street.one.chat.hub.bus, "find", found_and_deleted)
        with pytest.raises(UnknownError):
            await street.moderating.pin("id-haru", "spring", message)
    rules = await street.house.rulebook.rules("flowers", "spring", 0)
    assert rules.settings.pinned_saying is None
