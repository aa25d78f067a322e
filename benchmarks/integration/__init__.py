"""Parts of the benchmark of integration: the systems, and what the peers do."""
