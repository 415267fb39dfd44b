"""Every record is described, has its table, and what is generated from it is up to date."""

from pathlib import Path

import pytest

from schemas.__main__ import main, materialised, stale
from schemas.arrow import columns, schema, table_columns, wire_columns
from schemas.records import KINDS, TABLES, JournalReading, Kind, Summary
from schemas.warehouse import ddl, page

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("record", [*TABLES, JournalReading])
def test_every_field_is_described_and_numbers_have_a_unit_or_count(record: type) -> None:
    for column in columns(record):
        assert len(column.doc.text) > 8, column.name
        assert column.type != "timestamp" or column.doc.unit == "UTC", column.name


@pytest.mark.parametrize("record", TABLES)
def test_partition_and_clusters_are_columns_of_the_table(record: type) -> None:
    names = {column.name: column for column in table_columns(record)}
    table = TABLES[record]
    assert set(table.cluster) <= names.keys()
    assert table.partition is None or names[table.partition].type == "timestamp"
    assert len(names) == len(table_columns(record)), "a column stands twice"


def test_every_kind_has_priority_event_time_and_table() -> None:
    assert set(KINDS) == set(Kind)
    awaited = [rows.priority for kind, rows in KINDS.items() if kind != Kind.SAMPLES]
    assert sorted(awaited) == list(range(len(Kind) - 1)), "two kinds have the same priority"
    assert KINDS[Kind.SAMPLES].priority == min(awaited), "somebody waits for what is dropped last"
    for rows in KINDS.values():
        assert TABLES[rows.record].partition == rows.event_time in {column.name for column in wire_columns(rows.record)}


def test_what_the_pipeline_adds_is_not_on_the_wire() -> None:
    assert "batch_id" not in schema(wire_columns(Summary)).names
    assert schema(table_columns(Summary)).names[:2] == ["batch_id", "row"]


def test_the_committed_files_are_up_to_date() -> None:
    assert stale(ROOT) == []


def test_check_fails_when_a_file_is_stale_missing_or_foreign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0
    (tmp_path / "sql/tables/summaries_v1.sql").write_text("drop table summaries_v1;")
    (tmp_path / "docs/tables/events_v1.md").unlink()
    (tmp_path / "sql/tables/old_v0.sql").write_text("")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    named = capsys.readouterr().err
    assert all(name in named for name in ("summaries_v1.sql", "events_v1.md", "old_v0.sql"))


def test_ddl_and_page_name_every_column() -> None:
    for record in TABLES:
        for column in table_columns(record):
            assert f"`{column.name}`" in ddl(record)
            assert f"| `{column.name}` |" in page(record)
    assert len(materialised()) == 2 * len(TABLES) + 2
