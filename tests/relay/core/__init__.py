"""Tests of what the relay decides."""
