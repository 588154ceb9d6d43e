"""The room's dealings with the world: websockets and Redis."""
