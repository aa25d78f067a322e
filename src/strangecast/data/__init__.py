"""Arrow store, manifests, splits, windows, imports: everything between a system and a batch."""
