"""What a worker does with a job, with nothing but the sources that were sent and the packages that these ask for."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from tests.pipeline.dataflow.google_cloud import GoogleCloud

AS_A_WORKER = Path(__file__).with_name("as_a_worker.py")


def worker(folder: Path, launched: GoogleCloud) -> subprocess.CompletedProcess[str]:
    files = launched.staged(launched.jobs[0])
    [wheel] = [content for name, content in files.items() if name.endswith(".whl")]
    with zipfile.ZipFile(BytesIO(wheel)) as sources:
        sources.extractall(folder / "sources")
    (folder / "pipeline.pb").write_bytes(files["pipeline.pb"])
    (folder / "requirements.txt").write_bytes(files["requirements.txt"])
    command = [sys.executable, "-P", str(AS_A_WORKER), str(folder), str(folder / "sources")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})


def test_a_worker_unpacks_every_step_and_coder(launched: GoogleCloud, tmp_path: Path) -> None:
    done = worker(tmp_path, launched)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[0]) > 60
