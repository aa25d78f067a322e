"""Slow, plain implementations of what the package computes fast, written from the definitions alone."""
