"""Tests of `chat/core`."""
