"""What a newer gateway sent before the schema knew it moves from extras into its column: once, and nothing else changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from google.cloud import bigquery

from lab.services.stack import Warehouse
from sql.__main__ import cli
from sql.promotion import PromoteError, columns_of
from tests.sql.test_cases import filled

NOW = datetime.now(UTC).replace(microsecond=0)
MAY = "2026-05-01T12:00:00Z"


def row(number: int, extras: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    return {"row": number, "extras": json.dumps(extras) if extras else None, "window_start": MAY, **changes}


ROWS = [
    row(0, {"clock_offset_ms": 12.5, "other": 1}),
    row(1, {"clock_offset_ms": 7}, clock_offset_ms=3.0),
    row(2, {"other": 1}),
    row(3, None),
    row(4, {"clock_offset_ms": "nan"}),
    row(5, {"clock_offset_ms": -1.5}, window_start="2026-05-03T00:00:00Z"),
    row(6, {"clock_offset_ms": 9.0}, received_time=(NOW - timedelta(minutes=5)).isoformat()),
]


def test_a_field_is_filled_once_and_only_where_it_is_missing(applied: bigquery.Client, warehouse: Warehouse) -> None:
    def promote(*arguments: str) -> Result:
        environment = {"BIGQUERY_EMULATOR_HOST": warehouse.rest_url, "GOOGLE_CLOUD_PROJECT": "sql-cases"}
        return CliRunner().invoke(cli, ["promote", "clock_offset_ms", *arguments], env=environment)

    days = "summaries_v1 2026-05-01: 1 rows, 1 are no float64 and stay\nsummaries_v1 2026-05-03: 1 rows\n"
    with filled(applied, {"summaries_v1": ROWS}, NOW):
        before = _rows(applied)
        assert promote("--dry_run").stdout == f"{days}summaries_v1.clock_offset_ms: 2 rows would be filled\n"
        assert _rows(applied) == before
        assert promote().stdout == f"{days}summaries_v1.clock_offset_ms: 2 rows are filled\n"
        assert [offset for offset, _ in _rows(applied)] == [12.5, 3.0, None, None, None, -1.5, None]
        assert [rest for _, rest in _rows(applied)] == [rest for _, rest in before]
        assert promote().stdout.endswith("0 rows, 1 are no float64 and stay\nsummaries_v1.clock_offset_ms: 0 rows are filled\n")


def _rows(client: bigquery.Client) -> list[tuple[float | None, str]]:
    rows = client.query_and_wait("select * from tinybeam.summaries_v1 order by `row`")
    return [(found.pop("clock_offset_ms"), str(found)) for found in map(dict, rows)]


@pytest.mark.parametrize(
    ("field", "sentence"), [("nonesuch", "no table of facts has a column"), ("site_id", "no table"), ("sketch", "is a list")]
)
def test_what_cannot_be_filled_is_refused(field: str, sentence: str) -> None:
    with pytest.raises(PromoteError, match=sentence):
        columns_of(field)
