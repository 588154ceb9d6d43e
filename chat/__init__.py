"""Who is in the room, what was said, and who may say it."""
