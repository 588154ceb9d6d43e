"""What a show is, and how everything runs together."""
