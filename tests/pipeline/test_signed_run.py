"""The program as it is started, with signatures: a forged entry of an export file is set aside, and a start without keys is refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.elements import ReceivedMessage
from pipeline.io.warehouse import Warehouse
from pipeline.run import main
from schemas.envelope import entry
from schemas.registry_toml import toml
from tests.pipeline.bodies import REGISTRY, message, numbered
from tests.pipeline.signed import PIPELINE, key_file, registered, signed
from tests.preloaded import preloaded


def packed(sent: ReceivedMessage) -> bytes:
    return entry(sent.attributes, sent.body)


def test_of_an_export_file_only_what_its_gateway_signed_becomes_facts(tables: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text(toml(replace(REGISTRY, gateways=(registered("signing"),))))
    true, other, unsigned = (message(numbered(5), gateway_id="signing", seq=seq) for seq in (1, 2, 3))
    forged = replace(signed(other), attributes={**signed(other).attributes, "seq": "4"})
    (tmp_path / "one.tbb").write_bytes(packed(forged) + packed(unsigned) + packed(signed(true)))
    local = [f"--bigquery_endpoint={tables.endpoint}", f"--bigquery_storage_endpoint={tables.storage_endpoint}", "--no_recompute"]
    keys, registry = f"--signature_keys={key_file(tmp_path, PIPELINE)}", f"--registry={tmp_path}/registry.toml"
    batch = [f"--project={tables.project}", "--mode=batch", f"--input={tmp_path}/*.tbb", f"--temp_location={tmp_path}"]
    done = subprocess.run([*preloaded(), "pipeline", *batch, *local, keys, registry], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert words[0] == "read 3 messages: 1 batches, 0 repeated, 2 set aside"
    assert words[-1] == "rejects: 1 forged, 1 unsigned"


def test_a_start_without_a_key_that_can_be_read_ends_with_a_sentence_before_anything_is_connected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "registry.toml").write_text(toml(REGISTRY))
    batch = ["--project=p1", "--mode=batch", f"--input={tmp_path}/*.tbb", f"--registry={tmp_path}/registry.toml"]
    assert main(batch) == 2
    assert "--signature_keys=PLACE is missing" in capsys.readouterr().err
    assert main([*batch, f"--signature_keys={tmp_path}/none.key"]) == 1
    assert f"pipeline: --signature_keys={tmp_path}/none.key: " in capsys.readouterr().err
