"""Recordings: read from an archive as it comes, brought to the model's rate, and replayed with one run held out."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.vibration.machine import RATE_HZ, SAMPLES, random_machine
from training.vibration.recordings import HEALTHY, OUTER, Recording, frames, read, resampled, windows
from training.vibration.replay import figures, folds, rule


def archive(folder: Path, unit: str = "g") -> Path:
    """Two runs in the form of the package, 0.2 s each."""
    path = folder / "runs.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, rate in (("real_train/baseline_1", 97_656.0), ("real_test/OuterRaceFault_vload_2", 48_828.0)):
            samples = np.sin(2 * np.pi * 400 * np.arange(int(rate * 0.2)) / rate)
            metadata = {"sampling_rate": rate, "signal_unit": unit, "load": 50.0, "shaft_speed": 25.0}
            add(tar, f"package-1/data/signals/{name}.csv", "\n".join(f"{value:.9f}" for value in samples))
            add(tar, f"package-1/data/signals/{name}_metadata.json", json.dumps(metadata))
        add(tar, "package-1/README.md", "no recording")
    return path


def add(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text)
    tar.addfile(member, io.BytesIO(text.encode()))


def test_runs_are_read_with_their_rate_kind_and_unit(tmp_path: Path) -> None:
    runs = read(archive(tmp_path))
    assert [(run.kind, run.rate_hz, run.load) for run in runs] == [("OuterRaceFault_vload", 48_828.0, 50.0), (HEALTHY, 97_656.0, 50.0)]
    assert runs[0].seconds == pytest.approx(0.2, rel=1e-3)
    assert np.abs(runs[0].samples).max() == pytest.approx(9.80665, rel=1e-3)


def test_a_run_in_another_unit_and_an_archive_without_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is in mm/s, not in g"):
        read(archive(tmp_path, "mm/s"))
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz") as tar:
        add(tar, "package-1/README.md", "nothing")
    with pytest.raises(ValueError, match="holds no recordings"):
        read(tmp_path / "empty.tar.gz")


def test_a_slower_sensor_measures_a_low_tone_as_it_is_and_a_high_one_not_at_all() -> None:
    seconds = np.arange(97_656) / 97_656
    low, high = np.sin(2 * np.pi * 1000 * seconds), np.sin(2 * np.pi * 9000 * seconds)
    expected = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    np.testing.assert_allclose(resampled(low + high, 97_656.0), expected, atol=0.01)


def test_frames_and_windows_are_cut_where_they_should_be() -> None:
    run = Recording(name="x_1", kind="x", rate_hz=float(RATE_HZ), load=0.0, speed_hz=25.0, samples=np.arange(3.0 * RATE_HZ))
    cut = frames(run, SAMPLES // 4)
    assert all(frame.shape == (SAMPLES,) for frame in cut)
    cut_windows = list(windows(cut, 4, 7))
    assert all(len(window) == 4 for window in cut_windows)
    assert cut_windows[1][0] is cut[7]


def simulated() -> list[Recording]:
    """Three healthy runs of one machine and one with a fault, three seconds each."""
    machine, rng = random_machine(3, "outer"), np.random.default_rng(1)

    def run(name: str, severity: float) -> Recording:
        samples = machine.frame(severity, rng, machine.operating_point(0), samples=6 * RATE_HZ).astype(float)
        kind = name.rpartition("_")[0]
        return Recording(name=name, kind=kind, rate_hz=float(RATE_HZ), load=100.0, speed_hz=machine.rated_hz, samples=samples)

    return [run(f"{HEALTHY}_{number}", 0.0) for number in (1, 2, 3)] + [run(f"{OUTER}_1", 0.9)]


def test_each_healthy_run_is_held_out_in_turn_and_never_its_own_history() -> None:
    all_folds = folds(simulated())
    orders = {(fold.history, fold.validation, fold.held_out) for fold in all_folds}
    assert len(orders) == 6
    assert all(len(set(order)) == 3 for order in orders)
    assert all(fold.history not in fold.observations and fold.held_out in fold.observations for fold in all_folds)


def test_figures_are_about_the_held_out_run_and_the_faulty_ones_alone() -> None:
    def scores(fold: Any) -> dict[str, Any]:
        others = {name: np.full(4, 99.0) for name in fold.observations}
        return {**others, fold.held_out: np.array([0.0, 0.0, 0.0, 2.0]), f"{OUTER}_1": np.array([0.0, 2.0, 2.0, 2.0])}

    found = figures({f"{OUTER}_1": OUTER}, [(fold, scores(fold), 1.0) for fold in folds(simulated())])
    assert found.false_alarms == 0.25
    assert found.recall == {OUTER: 0.75}
    assert found.auc[OUTER] == pytest.approx(0.75)


def test_a_rule_finds_the_fault_in_a_replay() -> None:
    found = figures({f"{OUTER}_1": OUTER}, rule(folds(simulated()), "rise"))
    assert found.recall[OUTER] > 0.9
    assert found.auc[OUTER] > 0.95
