"""The live page of a farm, served on a free port by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from dash.data.viewer import Viewer
from dash.server.app import Dash
from dash.server.serving import PromptClients, server
from dash.server.sign_in import SignIn, ThisMachine
from schemas.records import Label
from tests.dash.farm import FarmWarehouse


@dataclass
class Labels:
    """Keeps what was answered."""

    kept: list[Label] = field(default_factory=list)

    def add(self, labels: list[Label]) -> None:
        self.kept += labels


@dataclass
class Served:
    url: str
    labels: Labels


@contextmanager
def served(farm: FarmWarehouse, sign_in: SignIn | None = None) -> Iterator[Served]:
    with served_by(farm, lambda: farm.now, sign_in) as page:
        yield page


@contextmanager
def served_by(
    warehouse: Any, clock: Callable[[], datetime], sign_in: SignIn | None = None, clients: type[PromptClients] = PromptClients
) -> Iterator[Served]:
    labels = Labels()
    app = Dash(warehouse, labels, sign_in or ThisMachine(Viewer()), clock).app(["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as bound:
        running = server(app, clients)
        thread = threading.Thread(target=running.run, args=([bound],))
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{bound.getsockname()[1]}", labels)
        finally:
            running.should_exit = True
            thread.join()


@pytest.fixture
def farm() -> FarmWarehouse:
    return FarmWarehouse(datetime.now(UTC))
