"""Runs as `python -m pipeline`. Defines nothing: what is defined here would be pickled by value."""

from pipeline.run import main

if __name__ == "__main__":
    raise SystemExit(main())
