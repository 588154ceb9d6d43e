"""Tests of cart's core."""
