"""One file per step; the number is the revision."""
