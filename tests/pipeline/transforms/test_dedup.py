"""A batch goes on once, whatever comes again; and the numbers that are known survive an update of the pipeline."""

from __future__ import annotations

from pipeline.transforms.dedup import SEQS
from tests.pipeline.golden_bytes import golden

KNOWN = (1, 70_000, 70_002, 2**40)


def test_the_known_numbers_are_read_from_the_bytes_of_every_release() -> None:
    assert SEQS.unpack(golden("seqs", 1)) == KNOWN


def test_the_known_numbers_are_written_as_this_release_writes_them() -> None:
    assert SEQS.pack(KNOWN) == golden("seqs", 1)
