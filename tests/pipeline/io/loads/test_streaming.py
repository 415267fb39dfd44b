"""Rows wait for their load and no longer than they may; a message is acknowledged when its load is done, and refused rows hold nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.coders import BytesCoder, StrUtf8Coder, TupleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline.elements import TableRows
from pipeline.facts import facts
from pipeline.io.loads.deliveries import LoadAndAcknowledge
from pipeline.io.loads.streaming import Keyed, Load, load_files, write_files
from pipeline.io.loads.waiting import FILES, Files, Gathering, Size
from pipeline.io.warehouse import Warehouse
from pipeline.options import BUNDLES
from pipeline.repeats import Repeats, pack_repeats
from tests.pipeline.bodies import numbered, with_sites

LOADED: list[list[str]] = []
"""The files of each load, in the order of loading."""


class _Note(beam.DoFn):
    def process(self, keyed: Keyed) -> Iterator[Any]:
        files = FILES.unpack(keyed[1])
        assert files
        LOADED.append([path for _, path in files.files])
        return iter(())


def files(*names: str) -> Keyed:
    return "t_v1", FILES.pack(Files(tuple(("t_v1", name) for name in names), 10))


def loads(script: scripted.TestStream, gathering: Gathering) -> list[list[str]]:
    LOADED.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        pipeline | script | Load(beam.ParDo(_Note()), gathering, lambda: datetime(1970, 1, 1, tzinfo=UTC))
    return sorted(LOADED)


def script() -> scripted.TestStream:
    return scripted.TestStream(coder=TupleCoder([StrUtf8Coder(), BytesCoder()])).advance_watermark_to(0)


def test_what_came_in_an_interval_is_one_load_and_what_comes_later_another() -> None:
    moved = script().add_elements([files("1")]).add_elements([files("2")]).advance_processing_time(901)
    ended = moved.add_elements([files("3")]).advance_processing_time(901).advance_watermark_to_infinity()
    assert loads(ended, Gathering(900, Size())) == [["1", "2"], ["3"]]


def test_what_is_enough_does_not_wait_and_what_is_left_follows_in_time() -> None:
    at_once = script().add_elements([files("1")]).add_elements([files("2")]).advance_watermark_to_infinity()
    assert loads(at_once, Gathering(900, Size(files=2))) == [["1", "2"]]
    moved = script().add_elements([files("1")]).add_elements([files("2")]).add_elements([files("3")])
    ended = moved.advance_processing_time(901).advance_watermark_to_infinity()
    assert loads(ended, Gathering(900, Size(files=2))) == [["1", "2"], ["3"]]


class Loads:
    """Notes loads, or fails; acknowledgements go to the same list."""

    def __init__(self, *, fails: bool = False) -> None:
        self.happened: list[str] = []
        self._fails = fails

    def load(self, files: Files) -> None:
        if self._fails:
            raise RuntimeError("crash")
        self.happened += [f"load {table}" for table, _ in files.files]

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        self.happened += [f"acknowledge {ack_id}" for ack_id in ack_ids]


OF_TWO = Files((("facts", "1"), ("batches", "2")), 10, ("a", "b"), (("gw1", 7, 1), ("gw1", 7, 2)))


def load(into: Loads) -> list[Any]:
    return list(LoadAndAcknowledge(into.load, lambda: into).process(("all", FILES.pack(OF_TWO))))


def test_messages_are_acknowledged_when_all_tables_are_loaded_and_repeats_may_be_then() -> None:
    into = Loads()
    [(_, news)] = load(into)
    assert into.happened == ["load facts", "load batches", "acknowledge a", "acknowledge b"]
    repeats = Repeats()
    assert list(repeats.hear(pack_repeats([(("gw1", 7, 2), "again"), (("gw1", 7, 3), "unwritten")]))) == []
    assert list(repeats.hear(news)) == ["again"]


def test_a_message_whose_load_fails_is_not_acknowledged() -> None:
    into = Loads(fails=True)
    with pytest.raises(RuntimeError):
        load(into)
    assert into.happened == []


def test_rows_that_a_load_refuses_are_given_back_and_those_beside_them_are_written(tables: Warehouse, tmp_path: Path) -> None:
    rows = facts(with_sites(numbered(3), gateway_id="load-nulls")).rows
    holed = rows.set_column(rows.schema.get_field_index("sum"), rows.schema.field("sum"), pa.array([1.0, None, 1.0]))
    files, size = write_files(str(tmp_path), [TableRows("summaries_v1", holed)])
    unwritten = load_files(tables, Files(tuple(files), size))
    assert [one.rejected.rows.column("row").to_pylist() for one in unwritten] == [[1]]
    with tables.client() as client:
        found = client.query_and_wait("select `row` from tinybeam.summaries_v1 where gateway_id = 'load-nulls' order by 1")
        assert [row["row"] for row in found] == [0, 2]


def test_files_that_are_loaded_are_gone_and_asking_again_loads_nothing(tables: Warehouse, tmp_path: Path) -> None:
    rows = [TableRows("summaries_v1", facts(with_sites(numbered(3), gateway_id="load-twice")).rows)]
    files, size = write_files(str(tmp_path), rows)
    kept = [(path, Path(path).read_bytes()) for _, path in files]
    for _ in range(2):
        for path, content in kept:
            Path(path).write_bytes(content)  # as if the first attempt had died before it removed them
        assert load_files(tables, Files(tuple(files), size)) == []
        assert list(tmp_path.iterdir()) == []
    with tables.client() as client:
        [row] = client.query_and_wait("select count(*) as n from tinybeam.summaries_v1 where gateway_id = 'load-twice'")
    assert row["n"] == 3
