"""What a worker does with a job, with nothing but the sources that were sent and the packages that these ask for."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.assemble import build
from pipeline.io.warehouse import Warehouse
from pipeline.options import parse
from schemas.envelope import entry
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import message, numbered
from tests.pipeline.dataflow.conftest import REGISTRY
from tests.pipeline.dataflow.google_cloud import GoogleCloud

AS_A_WORKER = Path(__file__).with_name("as_a_worker.py")
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def folder(launched: GoogleCloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what was sent: the graph, the list of requirements, and the wheel, unpacked."""
    folder = tmp_path_factory.mktemp("worker")
    files = launched.staged(launched.jobs[0])
    [wheel] = [content for name, content in files.items() if name.endswith(".whl")]
    with zipfile.ZipFile(BytesIO(wheel)) as sources:
        sources.extractall(folder / "sources")
    for name in ("pipeline.pb", "requirements.txt"):
        (folder / name).write_bytes(files[name])
    return folder


def command(folder: Path, task: str) -> list[str]:
    return [sys.executable, "-P", str(AS_A_WORKER), str(folder), str(folder / "sources"), task]


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where engines ask for workers."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(folder, "serve"), cwd=folder, env=ENVIRONMENT, **pipes) as worker:  # type: ignore[call-overload]
        yield worker.stdout.readline().strip()
        worker.stdin.close()


def test_a_worker_unpacks_every_step_and_coder(folder: Path) -> None:
    done = subprocess.run(command(folder, "unpack"), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[0]) > 60


def test_the_whole_batch_flow_runs_in_a_worker(address: str, tables: Warehouse, tmp_path: Path) -> None:
    for seq in (1, 2):
        sent = message(numbered(5), gateway_id="of-worker", seq=seq)
        (tmp_path / f"{seq}.tbb").write_bytes(entry(sent.attributes, sent.body) + b"damage")
    local = [f"--bigquery_endpoint={tables.endpoint}", f"--bigquery_storage_endpoint={tables.storage_endpoint}"]
    outside = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL", f"--environment_config={address}"]
    files = ["--mode=batch", f"--input={tmp_path}", f"--temp_location={tmp_path}"]
    options = parse([f"--project={tables.project}", f"--registry={REGISTRY}", "--require_signatures=accept", *local, *outside, *files])
    assert build(options, FixedRegistry(Registry.load(REGISTRY))).run().wait_until_finish() == "DONE"
    counts = "(select count(*) from tinybeam.{} where gateway_id = 'of-worker') as {}"
    with tables.client() as client:
        [row] = client.query_and_wait(f"select {counts.format('batches_v1', 'batches')}, {counts.format('rejects_v1', 'rejects')}")
    assert (row.batches, row.rejects) == (2, 2)
