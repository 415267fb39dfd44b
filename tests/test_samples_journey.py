"""Windows that are worth learning from go through gateway, export file, pipeline and warehouse to the view: once, within the budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from edge.gateway import Gateway
from edge.models.scorer import Score
from edge.models.slot import Slot
from edge.store.store import Store
from edge.uplink.export import export
from lab.acts import history
from lab.acts.analyst import empty, prepare
from lab.services.stack import Warehouse
from lab.world.field import REGISTRY
from schemas.registry import Registry
from tests.edge.gateways import config, message
from tests.edge.releases.field import SOIL, Speaker, bundle, loaded
from tests.warehouses import silent

BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=4)
DAYS, ONE_IN, DISPUTED = 2, 5, 20
WINDOW = timedelta(minutes=20)
WINDOWS = DAYS * timedelta(days=1) // WINDOW
BUDGETS = {"roomy": 1 << 20, "tight": 3_000}
"""Bytes a day of each gateway."""
HEARS = {"roomy": ("soil-01", "soil-02", "soil-03", "soil-04"), "tight": ("soil-05", "soil-06")}

Rows = list[dict[str, Any]]


class Dissenter(Speaker):
    """Says of wet windows something else than the model in force."""

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        return [Score("now" if row[0] > 0.35 else "fine", 9.0, 1.0) for row in features]


def hear(folder: Path, gateway_id: str) -> None:
    """Lets a gateway hear a reading a window of each device; one in so many is wet."""
    sensors = [{"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3"}, "model": "soil"}]
    settings = config(
        folder,
        gateway={"id": gateway_id, "state_dir": f"state-{gateway_id}"},
        sensors=sensors,
        models=[{"name": "soil", "bundle": str(SOIL)}],
        windows={"seconds": WINDOW.seconds},
        batches={"seconds": 3600},
        samples={"max_bytes_per_day": BUDGETS[gateway_id], "random_one_in": ONE_IN, "uncertain_within": 0},
    )
    slot = Slot(loaded(bundle("one")), shadow=loaded(bundle("two", 2), Dissenter()))
    with closing(Store(settings.store_file, gateway_id, 64 << 20)) as store:
        gateway = Gateway(settings, store, BEGIN, slots={"soil": slot})
        for number in range(WINDOWS):
            at = BEGIN + number * WINDOW + WINDOW / 2
            moisture = 0.4 if number % DISPUTED == 0 else 0.3
            said = {"time": at.timestamp(), "seq": number + 1, "boot": "b", "values": {"moisture": moisture}}
            gateway.accept([message(device, said) for device in HEARS[gateway_id]], at)
            gateway.tick(at + WINDOW / 2 + timedelta(seconds=5))
        gateway.flush(BEGIN + DAYS * timedelta(days=1) - timedelta(seconds=1))
        export(store, folder / history.EXPORT_FOLDER)


@pytest.fixture(scope="module")
def client(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    prepare(applied, Registry.load(REGISTRY), silent)
    yield applied
    empty(applied)


@pytest.fixture(scope="module")
def loaded_client(warehouse: Warehouse, client: bigquery.Client, tmp_path_factory: pytest.TempPathFactory) -> bigquery.Client:
    folder = tmp_path_factory.mktemp("samples")
    for gateway_id in BUDGETS:
        hear(folder, gateway_id)
    history.load(folder / history.EXPORT_FOLDER, warehouse, folder / "pipeline.log")
    return client


def asked(client: bigquery.Client, sql: str) -> Rows:
    return [dict(row) for row in client.query_and_wait(sql)]


def samples(client: bigquery.Client, gateway_id: str) -> Rows:
    return asked(client, f"select * from tinybeam.samples where gateway_id = '{gateway_id}'")


def test_every_window_that_the_shadow_disputes_is_there_once_and_a_fifth_of_the_others(loaded_client: bigquery.Client) -> None:
    found = samples(loaded_client, "roomy")
    windows = Counter((row["device_id"], (row["window_start"] - BEGIN) // WINDOW) for row in found)
    assert set(windows.values()) == {1}
    disputed = {(device, number) for device in HEARS["roomy"] for number in range(0, WINDOWS, DISPUTED)}
    assert disputed <= windows.keys()
    reasons = Counter(row["reason"] for row in found)
    assert reasons.keys() == {"random", "shadow"}
    drawn = len(disputed) - reasons["shadow"]
    others = len(HEARS["roomy"]) * WINDOWS - len(disputed)
    assert reasons["random"] - drawn == pytest.approx(others / ONE_IN, abs=4 * (others / ONE_IN) ** 0.5)
    assert {row["model_version"] for row in found} == {"one"}


def test_a_day_costs_no_more_bytes_than_its_budget(loaded_client: bigquery.Client) -> None:
    sql = """
        select gateway_id, date(cut_time) as day, sum(body_bytes) as bytes
        from tinybeam.batches where kind = 'samples' group by gateway_id, day
    """
    spent = {(row["gateway_id"], row["day"]): row["bytes"] for row in asked(loaded_client, sql)}
    assert {gateway for gateway, _ in spent} == set(BUDGETS)
    assert all(bytes_ <= BUDGETS[gateway] for (gateway, _), bytes_ in spent.items())
    tight = [bytes_ for (gateway, _), bytes_ in spent.items() if gateway == "tight"]
    assert len(tight) == DAYS
    assert min(tight) > BUDGETS["tight"] / 2
    assert len(samples(loaded_client, "tight")) < len(samples(loaded_client, "roomy"))
