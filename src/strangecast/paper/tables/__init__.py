"""One table per file: build(frames, ...) -> DataFrame."""
