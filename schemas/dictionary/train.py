"""`python -m schemas.dictionary.train` writes the dictionary of this version of the records; `--check` fails if another one is there.

The same bytes come out of every run with the same zstandard, for the batches that it learns from are drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import sys

import zstandard

from schemas.dictionary import FOLDER, LEVEL, number_of
from schemas.dictionary.seeds import contents
from schemas.records import SCHEMA_VERSION

SIZE = 8192
"""Bytes. docs/adr/0029-columns-and-a-dictionary.md has what others are worth."""


def trained() -> bytes:
    """Returns the dictionary of this version, of SIZE bytes at most."""
    return zstandard.train_dictionary(SIZE, [*contents()], level=LEVEL, dict_id=number_of(SCHEMA_VERSION)).as_bytes()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.dictionary.train", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the dictionary is not what training gives")
    chosen = parser.parse_args(arguments)
    file, dictionary = FOLDER / f"{SCHEMA_VERSION}.zdict", trained()
    if not chosen.check:
        file.write_bytes(dictionary)
    if not file.is_file() or file.read_bytes() != dictionary:
        print(f"{file} is not what training gives", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
