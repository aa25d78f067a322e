"""strangecast: one protocol for learned emulators of dynamical systems."""
