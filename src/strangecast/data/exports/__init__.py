"""Formats of exported samples: one file each."""
