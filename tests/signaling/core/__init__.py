"""The decisions of signaling."""
