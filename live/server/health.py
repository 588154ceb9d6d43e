"""Sellers hear how their viewers fare: a summary every few seconds, on whichever node they are."""

import asyncio
from typing import Any, Final

import structlog

from chat.core.addressee import SELLER
from live.relay.crowd import AudienceStatistics
from live.relay.relay import Relay
from live.server.policies import Publish
from live.server.room_events import Media, message

log = structlog.get_logger()

EVERY_S: Final = 5.0


async def tell_sellers(relay: Relay, publish: Publish) -> None:
    """Tell the seller of every show that is published to this node, until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        await tell_once(relay, publish)


async def tell_once(relay: Relay, publish: Publish) -> None:
    """Tell each of them now; the next round heals what is lost."""
    for told in relay.shows():
        if told.publisher is None:
            continue
        try:
            await publish(told.show, summary(told.audience), SELLER)
        except Exception as error:  # noqa: BLE001 - the next round will tell
            log.warning("seller was not told of the viewers", show=told.show, error=repr(error))


def summary(audience: AudienceStatistics) -> dict[str, Any]:
    """The event: all viewers as one, but the bitrate as one of them who sees has it."""
    seeing = audience.viewers - audience.paused
    return message(
        Media(
            viewers=audience.viewers,
            paused=audience.paused,
            bitrate_bps=audience.bitrate_bps // seeing if seeing else 0,
            loss=round(audience.loss, 4),
            freezes=audience.freezes,
        )
    )
