"""The benchmark of the gateway, at a size of seconds: it runs, and it does not take a gateway that loses messages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bench.gateway import TINYBEAM, BenchFailed, Subject, measure, run

CORE = min(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="mosquitto is not installed (apt install mosquitto)",
)


def test_both_gateways_are_measured_and_compared(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in measure(2000, 50, 1, tmp_path, CORE)}
    rate = rows["gateway_messages_a_core_second"]
    assert rate["ratio"] == pytest.approx(rate["value"] / rate["baseline"])
    assert all(row["value"] > 0 for row in rows.values())


def test_a_gateway_that_acknowledges_nothing_is_no_result(tmp_path: Path) -> None:
    idle = Subject(lambda _port, _folder, _count: [sys.executable, "-c", ""], lambda _folder: (0, 0))
    with pytest.raises(BenchFailed, match="still delivers"):
        run(idle, 10, tmp_path, CORE)


def test_a_store_that_holds_a_message_twice_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(BenchFailed, match="the store holds"):
        run(Subject(TINYBEAM.command, lambda _folder: (10, 11)), 10, tmp_path, CORE)
