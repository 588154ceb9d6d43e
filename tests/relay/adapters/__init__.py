"""Tests of where the relay touches the world."""
