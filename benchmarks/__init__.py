"""Benchmarks against named peers: ``python -m benchmarks.<name> [--quick]``."""
