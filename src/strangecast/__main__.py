"""``python -m strangecast``: the same as the ``strangecast`` command."""

from strangecast.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
