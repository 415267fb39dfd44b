"""The servers that the lab runs, each a context manager on free ports of 127.0.0.1, stopped by who started it."""

from __future__ import annotations

from lab.broker import Broker
from lab.child import Child, StartFailed
from lab.pubsub import PubSub
from lab.warehouse import Warehouse

__all__ = ["Broker", "Child", "PubSub", "StartFailed", "Warehouse"]
