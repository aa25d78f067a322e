"""One pure function per file: an emulator, system or suite in, a table out."""
