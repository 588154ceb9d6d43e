"""Tests of cart's adapters."""
