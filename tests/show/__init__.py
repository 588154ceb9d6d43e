"""Tests of live/show."""
