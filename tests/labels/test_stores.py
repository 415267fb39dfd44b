"""A label that is kept is found again, in a file and in the warehouse, and counts once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import bigquery

from labels.said import LabelError, stated
from labels.stores import LabelFile, WarehouseLabels
from schemas.records import Answer

NOW = datetime(2026, 5, 2, 12, 0, 0, 123456, tzinfo=UTC)
WATERED = stated(Answer.IRRIGATED, event_time=NOW, now=NOW, site_id="north", amount=12.5, by="Ada", note="the east half")
REPLACED = stated(Answer.REPLACED, event_time=NOW, now=NOW, device_id="vib-1")


def test_a_file_gives_back_what_was_added(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    LabelFile(file).add([WATERED])
    LabelFile(file).add([REPLACED, WATERED])
    assert list(LabelFile(file).read()) == [WATERED, REPLACED, WATERED]


def test_a_line_that_was_not_finished_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    LabelFile(file).add([WATERED])
    whole = file.read_bytes()
    for end in (1, 10, len(whole) - 2):
        file.write_bytes(whole + whole[:end])
        assert list(LabelFile(file).read()) == [WATERED]
        LabelFile(file).add([REPLACED])
        assert list(LabelFile(file).read()) == [WATERED, REPLACED]


def test_a_last_line_of_another_program_that_lacks_its_end_is_a_label_and_reading_changes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    LabelFile(file).add([WATERED, REPLACED])
    content = file.read_bytes().rstrip()
    file.write_bytes(content)
    assert list(LabelFile(file).read()) == [WATERED, REPLACED]
    assert file.read_bytes() == content
    LabelFile(file).add([WATERED])
    assert list(LabelFile(file).read()) == [WATERED, REPLACED, WATERED]


def test_what_one_adds_while_another_adds_is_cut_by_neither(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda label: LabelFile(file).add([label]), [WATERED, REPLACED] * 20))
    assert len(list(LabelFile(file).read())) == 40


def test_a_line_that_is_no_label_is_named(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"label_id": 1}\n')
    with pytest.raises(LabelError, match=r"labels\.jsonl, line 1: "):
        list(LabelFile(file).read())


def test_the_warehouse_has_what_was_added_and_the_view_shows_it_once(emptied: bigquery.Client) -> None:
    store = WarehouseLabels(emptied)
    later = datetime.now(UTC)
    store.add([replace(WATERED, event_time=later), REPLACED])
    store.add([replace(WATERED, event_time=later)])
    [shown] = emptied.query_and_wait("select * from tinybeam.labels")
    assert (shown["label_id"], shown["amount"], shown["labelled_time"], shown["event_time"]) == (WATERED.label_id, 12.5, NOW, later)
    assert (shown["labelled_by"], shown["note"], shown["device_id"], shown["answer"]) == ("Ada", "the east half", None, "irrigated_mm")
    emptied.query_and_wait("truncate table tinybeam.labels_v1")
