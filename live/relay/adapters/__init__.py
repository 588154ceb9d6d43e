"""The relay's doors to the world."""
