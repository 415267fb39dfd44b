"""Case 28: 100,000 names that came once took 2,282 of 3,071 pages for ever."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from edge.config import Config
from edge.gateway import Gateway
from edge.intake.known_devices import FORGOTTEN_AT_ONCE
from edge.store.store import Store
from tests import long_form
from tests.edge.gateways import START, config, message, rows

MIB = 1 << 20
NAMES = long_form.number(3000, 100_000)
SENSORS = [
    {
        "name": "soil",
        "devices": ["d*"],
        "channels": {"moisture": "m3/m3"},
        "deadband": {"moisture": 0.01},
        "thresholds": [{"name": "dry", "channel": "moisture", "below": 0.2, "hysteresis": 0.05}],
    }
]


def hours(gateway: Gateway, since: datetime, count: int) -> datetime:
    """Hours in which one device is heard, always the same and dry."""
    for hour in range(count):
        now = since + timedelta(hours=hour)
        gateway.accept([message("d-good", {"values": {"moisture": 0.1}})], now)
        gateway.tick(now + timedelta(seconds=20))
    return since + timedelta(hours=count)


def remembered(store: Store) -> set[str]:
    return {key.partition("/")[0] for name in ("held", "threshold", "devices") for key in store.section(name).items()}


def opened(settings: Config) -> Store:
    return Store(settings.store_file, "gw-1", 16 * MIB)


def test_names_that_come_once_leave_the_store_and_a_device_that_stays_raises_no_event_again(tmp_path: Path) -> None:
    settings = config(tmp_path, sensors=SENSORS, gateway={"heartbeat_seconds": 86_400}, limits={"devices": 2 * NAMES})
    with closing(opened(settings)) as store:
        gateway = Gateway(settings, store, START)
        now = hours(gateway, START, 2)
        empty = store._database.free_pages()
        for first in range(0, NAMES, 500):
            now += timedelta(seconds=1)
            gateway.accept([message(f"d{number}", {"values": {"moisture": 0.1}}) for number in range(first, first + 500)], now)
            gateway.tick(now)
        now = hours(gateway, now + timedelta(minutes=1), 2)
        assert len(remembered(store)) > NAMES
        store.confirm([batch.key for batch in store.pending(10_000)])
        assert empty - store._database.free_pages() > 60
    with closing(opened(settings)) as store:
        gateway = Gateway(settings, store, now)
        now = hours(gateway, now, 27 + NAMES // FORGOTTEN_AT_ONCE)
        assert remembered(store) == {"", "d-good"}
        assert [row["device_id"] for row in rows(store, "events")] == []
        assert gateway.heartbeat(now).devices_forgotten == NAMES
        store.confirm([batch.key for batch in store.pending(10_000)])
        assert empty - store._database.free_pages() < 10
