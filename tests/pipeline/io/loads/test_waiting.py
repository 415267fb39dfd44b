"""What waits for a load is counted, bounded, and named by its files alone."""

from __future__ import annotations

from itertools import permutations

from pipeline.io.loads.waiting import FILES, SIZE, Files, Gathering, Size, by_table, job_id, together
from tests.pipeline.golden_bytes import golden

FIRST = Files((("summaries_v1", "b/1.parquet"), ("batches_v1", "b/2.parquet")), 700, ("id-1",), (("gw1", 7, 1),))
SECOND = Files((("summaries_v1", "b/3.parquet"),), 500, ("id-2", "id-3"), (("gw1", 7, 2), ("gw1", 7, 3)))
THIRD = Files((("events_v1", "b/4.parquet"),), 40)


def test_a_load_is_the_same_jobs_in_whatever_order_its_files_came_and_however_often() -> None:
    loads = {together(order) for order in permutations([FIRST, SECOND, THIRD, FIRST])}
    assert len(loads) == 1
    [load] = loads
    assert by_table(load)["summaries_v1"] == ["b/1.parquet", "b/3.parquet"]
    assert (load.bytes, load.ack_ids, len(load.batches)) == (1240, ("id-1", "id-2", "id-3"), 3)
    assert job_id("summaries_v1", ["b/1.parquet", "b/3.parquet"]) == job_id("summaries_v1", ["b/3.parquet", "b/1.parquet"])


def test_another_file_or_another_table_is_another_job() -> None:
    assert len({job_id("a_v1", ["1", "2"]), job_id("a_v1", ["1"]), job_id("a_v1", ["12"]), job_id("b_v1", ["1", "2"])}) == 4


def test_enough_is_enough_by_any_measure_that_is_given() -> None:
    size = Size().plus(FIRST).plus(SECOND)
    assert size == Size(files=3, bytes=1200, messages=3)
    enough = [Gathering(900, most).is_enough(size) for most in (Size(files=3), Size(bytes=1200), Size(messages=3), Size(files=9, bytes=1))]
    assert enough == [True] * 4
    assert not Gathering(900, Size(files=4, bytes=1201, messages=4)).is_enough(size)
    assert not Gathering(900, Size()).is_enough(size)


def test_what_waits_is_read_as_this_version_wrote_it() -> None:
    assert (FILES.unpack(golden("files_to_load", 1)), SIZE.unpack(golden("size_to_load", 1))) == (FIRST, Size(3, 1200, 3))
    assert (FILES.pack(FIRST).hex(), SIZE.pack(Size(3, 1200, 3)).hex()) == (
        golden("files_to_load", 1).hex(),
        golden("size_to_load", 1).hex(),
    )
