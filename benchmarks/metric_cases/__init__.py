"""The cases of the benchmark of metrics."""
