from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.config import load
from edge.models.bundles import bundles_of
from lab.acts import history
from lab.acts.gateways import GATEWAYS, HISTORY, LIVE, Intervals, Ports, write_settings
from lab.acts.timeline import Timeline
from lab.world import field, machine
from lab.world.device import channels, devices
from schemas.registry import Registry


@pytest.mark.parametrize("intervals", [HISTORY, LIVE])
@pytest.mark.parametrize("gateway_id", GATEWAYS)
def test_the_settings_of_the_labs_gateways_are_valid(tmp_path: Path, intervals: Intervals, gateway_id: str) -> None:
    config = load(write_settings(tmp_path, gateway_id, intervals, Ports(mqtt=1884, health=8080)))
    assert config.windows.seconds == intervals.window_seconds
    assert config.mqtt.topic == f"{gateway_id}/sensors/+/readings"
    assert set(bundles_of(config)) == {"vibration" if gateway_id == machine.GATEWAY else "soil"}


def test_every_device_of_the_registry_sends_to_a_gateway_whose_settings_know_it(tmp_path: Path) -> None:
    registry = Registry.load(field.REGISTRY)
    known = devices(registry)
    assert {device.device_id for device in known} == {device.device_id for device in registry.devices}
    for gateway_id in GATEWAYS:
        config = load(write_settings(tmp_path, gateway_id, HISTORY))
        for device in known:
            if device.gateway_id == gateway_id:
                assert set(channels(device.device_id)) == set(config.sensors_of(device.device_id).units)


@pytest.mark.parametrize("hours", [1, 5, 6, 7, 48])
def test_messages_of_history_are_numbered_from_one_without_gaps(hours: int) -> None:
    timeline = Timeline(datetime(2026, 5, 1, tzinfo=UTC), hours)
    for device in (Beat(1, 1), Beat(6, 4)):
        sent = [message for hour in range(hours) for message in history._messages(device, timeline, hour)]
        seqs = [int(message.payload.split(b" ")[0]) for message in sent]
        assert seqs == list(range(1, history.last_seq(device, timeline) + 1))
        times = [message.payload.split(b" ")[1] for message in sent]
        assert times == sorted(set(times))


class Beat:
    """A device whose messages are their number and time."""

    device_id, gateway_id, topic, interval_ticks = "beat", "gateway-north", "beat", 1

    def __init__(self, interval_hours: int, burst_size: int) -> None:
        self.interval_hours, self.burst_size = interval_hours, burst_size

    def message(self, time: datetime, seq: int, boot: str, day: float) -> bytes:
        return f"{seq} {time.isoformat()}".encode()
