"""The application over real stores."""

from tests.server.world import engine, world

__all__ = ["engine", "world"]
