"""The room's decisions: pure, with time, ids and chance as arguments."""
