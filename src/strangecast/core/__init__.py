"""Conventions, keyed random streams, atomic files, table schemas, provenance, errors."""
