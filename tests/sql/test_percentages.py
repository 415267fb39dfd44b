"""Every percentage that a query shows is that of a plain count of the rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from google.cloud import bigquery

from sql.questions import ask
from tests.sql.test_cases import SCRIPTS, filled

START = datetime(2026, 5, 1, tzinfo=UTC)
SPAN = {"from_time": "2026-05-01", "to_time": "2026-05-05"}


def inferences(rng: Random) -> list[dict[str, Any]]:
    """Three versions of a model, of which two shared some days; some rows came twice, some lie outside of the span."""
    rows = []
    for number in range(900):
        hours = rng.uniform(-30, 130)
        version = "1" if hours < 20 else rng.choice(["2", "3"]) if hours < 60 else "3"
        row = {"batch_id": f"gw1:7:{number}", "model_version": version, "label": rng.choice(["fine", "fine", "soon", "now"])}
        row |= {"window_start": str(START + timedelta(hours=hours)), "score": rng.uniform(0, 9), "uncertainty": rng.uniform(0, 3)}
        rows += [row] * rng.choice([1, 1, 1, 2])
    return rows


def test_labels_and_versions_are_compared_as_a_plain_count_does(applied: bigquery.Client) -> None:
    rows = inferences(Random(3))
    with filled(applied, {"inferences_v1": rows}, START):
        compared = list(ask(applied, SCRIPTS["models_side_by_side"], SPAN, START))
        shares = list(
            applied.query_and_wait(
                "select model_version, day, one.label as label, one.share as share "
                "from tinybeam.model_versions_between(timestamp '2026-05-01', timestamp '2026-05-05'), unnest(labels) as one"
            )
        )
    within = {row["batch_id"]: row for row in rows if START <= datetime.fromisoformat(row["window_start"]) < START + timedelta(days=4)}
    counted = Counter((row["model_version"], row["window_start"][:10], row["label"]) for row in within.values())
    of_days = Counter((row["model_version"], row["window_start"][:10]) for row in within.values())
    assert len(shares) == len(counted) > 15
    for row in shares:
        day = row["day"].date().isoformat()
        assert abs(row["share"] - counted[row["model_version"], day, row["label"]] / of_days[row["model_version"], day]) < 1e-12
    both = {day for version, day in of_days if version == "2"} & {day for version, day in of_days if version == "3"}
    assert {row["label"] for row in compared} == {"fine", "soon", "now"}
    for row in compared:
        assert (row["older_version"], row["newer_version"], row["days_of_both"]) == ("2", "3", len(both))
        for version, name in (("2", "older"), ("3", "newer")):
            of_version = [one for one in within.values() if one["model_version"] == version and one["window_start"][:10] in both]
            of_label = [one for one in of_version if one["label"] == row["label"]]
            assert abs(row[f"{name}_percent"] - 100 * len(of_label) / len(of_version)) <= 0.05 + 1e-9
            for column in ("score", "uncertainty"):
                assert abs(row[f"{name}_{column}"] - sum(one[column] for one in of_label) / len(of_label)) <= 0.0005 + 1e-9


def test_the_quality_of_a_gateway_is_that_of_a_plain_count(applied: bigquery.Client) -> None:
    rng = Random(4)
    numbers = [seq for seq in range(1, 301) if rng.random() < 0.9]
    batches = [{"batch_id": f"gw1:7:{seq}", "seq": seq, "cut_time": str(START + timedelta(minutes=seq))} for seq in numbers]
    heartbeats = [
        {"batch_id": f"gw1:7:{300 + number}", "heartbeat_time": str(START + timedelta(minutes=number)), "batches_cut": 300}
        | {"time_quality": rng.choice(["synced", "synced", "estimated"])}
        for number in range(200)
    ]
    with filled(applied, {"batches_v1": batches, "heartbeats_v1": [*heartbeats, *heartbeats[:50]]}, START):
        (row,) = ask(applied, SCRIPTS["data_quality"], SPAN, START)
    unsynced = sum(one["time_quality"] != "synced" for one in heartbeats)
    assert (row["batches_received"], row["batches_missing"]) == (len(batches), 300 - len(batches))
    assert abs(row["percent_complete"] - 100 * len(batches) / 300) <= 0.005 + 1e-9
    assert abs(row["clock_unsynced_percent"] - 100 * unsynced / 200) <= 0.005 + 1e-9
