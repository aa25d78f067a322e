"""Formats of recordings: one file each, read without executing anything in them."""
