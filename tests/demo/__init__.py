"""The show without a seller."""
