"""How the running notifier is put together."""

from __future__ import annotations

from pathlib import Path

from notify.clock import Clock
from notify.run import routed_receivers
from tests.notify.alerts import config


def test_only_receivers_of_a_route_are_opened(tmp_path: Path) -> None:
    webhooks = [{"kind": "webhook", "name": name, "url": "http://localhost/"} for name in ("a", "b")]
    routed = config(tmp_path, receivers=webhooks, routes=[{"receivers": ["b"]}])
    assert [receiver.name for receiver in routed_receivers(routed, Clock())] == ["b"]
