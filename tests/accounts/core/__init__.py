"""Tests of live/accounts/core."""
