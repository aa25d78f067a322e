"""Validity tests of trajectories: one pure function per file, each returns a Verdict."""
