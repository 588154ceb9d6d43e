"""Tests of `chat/adapters`."""
