"""The same seed gives the same bytes, whatever the number of workers and of threads that numpy is offered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.__main__ import cli
from training.build.threads import _LIMITS, ImportOrderError, single

ROOT = Path(__file__).parents[3]
_SMALL = """
import sys
from pathlib import Path
from training.build.threads import single
workers, output = int(sys.argv[1]), Path(sys.argv[2])
single()
from training.soil import train as soil
from training.soil.examples import make_plans
from training.vibration import train as vibration
from training.build.dense import Schedule

progress = lambda _, items, __: items
size = vibration.Size(
    training_machines=12, validation_machines=1, healthy_machines=1, failing_machines=1, golden_machines=1, frames=1,
    schedule=Schedule(epochs=2),
)
data = vibration.simulate(size, 0, workers, progress)
trained = vibration.train(data.training.features, 0, size)
vibration.save(
    trained, output / "vibration", validation=data.validation.features, examples=data.golden.features, seed=0, size=size,
    origin=vibration.simulated(size),
)
size = soil.Size(training_seasons=2, schedule=Schedule(epochs=4))
known = soil.simulate(make_plans(("tunis", "brussels"), 2, 0), workers, progress)
soil.save(soil.train(known, 0, size), known, output / "soil", 0, size, soil.simulated(2))
"""
"""As the commands do it, with fewer machines and seasons; but as many rows as numpy shares out among threads."""


def files_of_a_run(workers: int, threads: int, output: Path) -> dict[str, bytes]:
    offered = {**os.environ, **dict.fromkeys(_LIMITS, str(threads))}
    subprocess.run([sys.executable, "-c", _SMALL, str(workers), str(output)], cwd=ROOT, env=offered, check=True)
    return {str(file.relative_to(output)): file.read_bytes() for file in sorted(output.rglob("*.*"))}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has one thread")
def test_the_same_seed_gives_the_same_bundles_whatever_the_workers_and_threads(tmp_path: Path) -> None:
    alone, together = files_of_a_run(1, 1, tmp_path / "alone"), files_of_a_run(2, 2, tmp_path / "together")
    assert len(alone) == 4
    assert [name for name in alone if alone[name] != together[name]] == []


@pytest.mark.parametrize("command", ["soil", "vibration"])
def test_the_command_refuses_to_train_where_numpy_already_has_its_threads(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    result = CliRunner().invoke(cli, [command, "--output", str(tmp_path / "model"), "--page", str(tmp_path / "page.md")])
    assert isinstance(result.exception, ImportOrderError)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ImportOrderError, match="already imported"):
        single()
