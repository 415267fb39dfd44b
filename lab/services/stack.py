"""Starts the servers that the lab runs, each a context manager on free ports of 127.0.0.1, stopped by their context."""

from __future__ import annotations

from lab.services.broker import Broker
from lab.services.child import Child, StartFailed
from lab.services.pubsub import PubSub
from lab.services.warehouse import Warehouse

__all__ = ["Broker", "Child", "PubSub", "StartFailed", "Warehouse"]
