"""The pure rules of shows."""
