"""R7: others fill the gateway's disk. It stays up, stops acknowledging, says so, sends on what waits, and resumes. Nothing is lost."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests import long_form
from tests.edge.full_disk import Stand, has_namespaces, stand
from tests.waiting import eventually

CYCLES = long_form.number(1, 20)
RESUME_SECONDS = 60.0
_READINGS, _MOST_MESSAGES = 10, 2000
pytestmark = [
    pytest.mark.skipif(not has_namespaces(), reason="the kernel lets no user mount a disk of its own"),
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
        reason="mosquitto is not installed (apt install mosquitto)",
    ),
]


def fill(running: Stand) -> None:
    """Lets batches wait for the uplink, fills the disk, and sends readings until the gateway says that it takes no more."""
    running.uplink.cut()
    running.cloud.send()
    assert eventually(lambda: running.is_cut() and running.health()["batches_pending"] > 0), running.log()
    running.disk.fill()
    for _ in range(_MOST_MESSAGES):
        running.cloud.send(_READINGS)
        if running.is_refusing():
            break
    assert running.health()["batches_pending"] > 0


def check_refused(running: Stand) -> None:
    """Checks that the gateway runs, and acknowledges nothing that comes now."""
    before = running.acknowledged
    running.cloud.send()
    assert not eventually(lambda: running.acknowledged > before, 1.0)
    assert running.gateway.status is None, running.log()
    assert eventually(lambda: running.health()["status"] == "full"), running.log()


def resumed(running: Stand) -> float:
    """Lets the others leave; returns after how many seconds everything is acknowledged."""
    running.disk.leave()
    began = time.monotonic()
    assert eventually(lambda: running.acknowledged == running.cloud.messages, RESUME_SECONDS), running.log()
    return time.monotonic() - began


def cycle(running: Stand) -> float:
    """Fills the disk, lets the others leave, and returns after how many seconds everything was acknowledged; all of it arrives once."""
    fill(running)
    running.uplink.restore()
    assert eventually(lambda: running.health()["batches_pending"] == 0), running.log()
    check_refused(running)
    assert not running.disk.reserve.exists()
    seconds = resumed(running)
    everything = dict.fromkeys(range(1, running.cloud.sent + 1), 1)
    assert eventually(lambda: running.cloud.readings == everything), running.log()
    assert running.disk.reserve.exists()
    assert running.gateway.stop() == 0, running.log()
    return seconds


def test_a_disk_that_others_fill_stops_the_gateway_for_as_long_and_loses_nothing(tmp_path: Path) -> None:
    longest, readings = 0.0, 0
    for number in range(CYCLES):
        long_form.progress(number, CYCLES)
        with stand(tmp_path / str(number)) as running:
            longest = max(longest, cycle(running))
            readings += running.cloud.sent
    took = f"{CYCLES} cycles, {readings:,} readings acknowledged, 0 lost, 0 doubled, resumed within {longest:.1f} s"
    long_form.note("R7", measured=took)


def test_without_its_reserve_nothing_that_waits_can_be_sent_before_the_others_leave(tmp_path: Path) -> None:
    """The negative control: somebody removes what the gateway set aside."""
    with stand(tmp_path) as running:
        running.disk.reserve.unlink()
        fill(running)
        running.uplink.restore()
        assert not eventually(lambda: running.health()["batches_pending"] == 0, 5)
        resumed(running)
        assert eventually(lambda: running.health()["batches_pending"] == 0), running.log()
    long_form.note("R7", control="without the reserve what waited stayed until the others had left")
