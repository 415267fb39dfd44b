"""The lab's keys are made once, before gateways that begin at once ask for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from lab.acts.signatures import LabKeys

GATEWAYS = ("gateway-1", "gateway-2", "gateway-3", "gateway-4")


def test_gateways_that_begin_at_once_find_the_keys_that_the_registry_names(tmp_path: Path) -> None:
    keys, together = LabKeys(tmp_path), Barrier(len(GATEWAYS))
    keys.register(tmp_path / "registry.toml", GATEWAYS)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def begin(gateway: str) -> str:
        together.wait()
        return keys.settings(gateway)

    with ThreadPoolExecutor(len(GATEWAYS)) as threads:
        assert all("pipeline_key_file" in settings for settings in threads.map(begin, GATEWAYS))
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
