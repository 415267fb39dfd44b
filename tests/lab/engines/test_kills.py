"""A pipeline that is killed while messages come, and Prism that is killed under one, lose and repeat nothing (`make engines`: 50 kills).

Needs Prism, which CI does not build: tests/pipeline/io/subscription has what the promise rests on.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import bigquery

from lab.console import Console
from lab.engines import kills
from lab.engines.kills import Plan
from lab.engines.load import Load, registry
from lab.engines.stand import Servers, Stand
from lab.engines.summary import Summary
from lab.services.stack import PubSub, Warehouse
from pipeline.prism import find
from sql.registry import load


@pytest.mark.skipif(find(os.environ) is None, reason="Prism is neither on PATH nor in Go's folder: no pipeline is killed here")
@pytest.mark.timeout(600)
def test_two_kills_lose_and_repeat_nothing(warehouse: Warehouse, emptied: bigquery.Client, tmp_path: Path) -> None:
    load(emptied, registry())
    with PubSub(tmp_path) as pubsub, closing(Stand(tmp_path, Servers(warehouse, pubsub))) as stand:
        found = kills.run(stand, Load.until(datetime.now(UTC), 600), Plan(count=2, rate=30.0, seed=2), Console(sys.stdout))
    assert Summary(kills=found).faults() == []
    assert found.of_engine == 1
