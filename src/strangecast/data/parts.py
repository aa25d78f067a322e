"""The parts that the samples of a dataset are divided into."""

PARTS = ("train", "validation", "test")
