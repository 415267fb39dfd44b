"""Says for farmers what they watered, as they would answer a notice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from google.cloud import bigquery

from lab.loop.world import ProbeSeason
from schemas.warehouse import DATASET

_LATER = timedelta(hours=6)


def say(client: bigquery.Client, probes: Iterable[ProbeSeason]) -> int:
    """Puts a label for each watering of a field into the warehouse. Returns how many."""
    watered = {(each.probe.plan.site_id, *watering) for each in probes for watering in each.watered}
    rows = [_label(*watering) for watering in sorted(watered)]
    if rows:
        client.load_table_from_json(
            rows, f"{DATASET}.labels_v1", job_config=bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
        ).result()
    return len(rows)


def _label(site_id: str, time: datetime, amount: float) -> dict[str, Any]:
    return {
        "label_id": sha256(f"{site_id} {time:%s}".encode()).hexdigest(),
        "labelled_time": (time + _LATER).isoformat(),
        "labelled_by": "farmer",
        "answer": "irrigated_mm",
        "amount": round(amount, 1),
        "event_time": time.isoformat(),
        "site_id": site_id,
    }
