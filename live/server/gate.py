"""What signaling asks of the house: who may publish, which shows there are, who has them."""

from live.relay.relay import Relay
from live.server.takeovers import Takeovers
from live.show.adapters.directory import RedisDirectory
from live.show.shows import Permission, Shows


class Gate:
    """Implements signaling's `Gate`."""

    def __init__(
        self, shows: Shows, directory: RedisDirectory, relay: Relay, takeovers: Takeovers
    ) -> None:
        self._shows = shows
        self._directory = directory
        self._relay = relay
        self._takeovers = takeovers

    async def may_publish(self, show: str, key: str | None) -> Permission:
        """Whether the bearer of this key may publish the show. Raises `TakenOver`."""
        permission = await self._shows.may_publish(show, key)
        if permission == "granted" and key is not None:
            on_air = self._relay.on_air(show) or await self.origin(show) is not None
            self._takeovers.admit(show, key, on_air=on_air)
        return permission

    async def show_exists(self, show: str) -> bool:
        """Whether there is such a show."""
        return await self._shows.find(show) is not None

    async def origin(self, show: str) -> str | None:
        """The public URL of another node that has the show's publisher, if one has."""
        return await self._directory.elsewhere(show)
