"""One figure per file: draw(frames, ...) -> Figure."""
