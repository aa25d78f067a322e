"""Augmentations: known values, invariances, equal bits."""
