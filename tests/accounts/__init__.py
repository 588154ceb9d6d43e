"""Tests of live/accounts."""
