"""Ensembles of trajectories integrated side by side in vector lanes, by code compiled from graphs."""
