"""The loop, its engines and checkpoints, and one file per training methodology."""
