"""Tests of live/show/core."""
