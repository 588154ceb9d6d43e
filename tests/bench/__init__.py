"""Benchmarks of the running server: `python -m tests.bench [NAME…]`. They measure, never judge."""
