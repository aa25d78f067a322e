"""Augmentations of training batches: one pure function per file, and what chooses among them."""
