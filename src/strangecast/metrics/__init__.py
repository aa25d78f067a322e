"""One pure array function per file."""
