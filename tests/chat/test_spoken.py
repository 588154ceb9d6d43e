"""Who may talk is heard by whoever takes orders, whether it is shown or not; others are not."""

from collections.abc import Mapping
from typing import Any

import pytest

from chat.core.budget import IN_TICK, Part
from chat.core.moderation import SanctionKind
from tests.chat.house import Node, watching
from tests.chat.street import Street
from tests.chat.test_moderating import answer, sanction


class Ear:
    """Remembers what it is told."""

    def __init__(self, *nodes: Node) -> None:
        self.heard: list[tuple[str, str, str]] = []
        for node in nodes:
            node.chat.hub.spoken = self.hear

    def hear(self, show: str, said: Mapping[str, Any], key: str) -> None:
        self.heard.append((show, said["text"], key))


async def test_what_is_said_again_has_the_same_key(street: Street) -> None:
    """By the same id, on whichever node."""
    ear = Ear(street.one, street.other)
    for node in (street.one, street.other):
        async with watching(node, "bom") as bom:
            assert await answer(bom, "A12", "1") == "accepted"
    async with watching(street.one, "haru") as haru, watching(street.one, "dal") as dal:
        assert await answer(haru, "A12", "1") == "accepted"
        assert await answer(dal, "A12", "1") == "accepted"
    assert ear.heard == [("spring", "A12", "id-bom:1")] * 2, "seller and moderators do not buy so"


async def test_what_was_too_much_to_be_shown_is_heard(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rush of buyers is thinned on the page and not at the counter."""
    ear = Ear(street.one)
    monkeypatch.setitem(IN_TICK, Part.EVERYBODY, 0)
    async with watching(street.one, "bom") as bom:
        await bom.say("A12", "1")
        assert (await bom.answer("1"))["shown"] is False
    assert ear.heard == [("spring", "A12", "id-bom:1")]


@pytest.mark.parametrize(
    ("kind", "told"), [("shadow_ban", "accepted"), ("mute", "muted"), ("ban", "banned")]
)
async def test_the_sanctioned_are_not_heard(street: Street, kind: SanctionKind, told: str) -> None:
    """Nor is who believes to be heard."""
    ear = Ear(street.one)
    async with watching(street.one, "bom") as bom, watching(street.one, "haru") as haru:
        await sanction(street, kind)
        await haru.until("sanction")
        assert await answer(bom, "A12", "1") == told
    assert ear.heard == []
