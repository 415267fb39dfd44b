"""A vibration model is taught by sound machines, can be traced to its rows, and follows only if it finds what the others find."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.models.bundle import Bundle
from training.build.dense import Schedule
from training.build.snapshot import Snapshot
from training.build.succession import CURRENT, SUCCESSOR
from training.vibration.rivals import KURTOSIS, RISE, RMS, comparable
from training.vibration.succession import lineage, succeed
from training.vibration.train import Size
from training.vibration.training_set import DAMAGED, SOUND, MachineWindow, TrainingSet

VIBRATION = Path(__file__).parents[3] / "models" / "vibration"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SNAPSHOT = Snapshot(query="vibration_training_set", query_sha256="ab", from_time=BEGIN, until=BEGIN + timedelta(days=90))
TINY = Size(hidden=(8, 4, 8), schedule=Schedule(epochs=40, noise=0.6))
DAYS, HOURS, REPLACED = 60, 6, 40
"""Each second machine's bearing is replaced on that day."""
MACHINES = 12


def machine(number: int) -> list[MachineWindow]:
    """A machine's bands are noise about 0; damage lets them rise in the ten days before its bearing is replaced."""
    rng = np.random.default_rng([7, number])
    return [window(rng, number, HOURS * step) for step in range(DAYS * 24 // HOURS)]


def window(rng: np.random.Generator, number: int, hours: float) -> MachineWindow:
    left = REPLACED * 24 - hours - 1 if number % 2 and hours < REPLACED * 24 else None
    wear = max(1 - left / 240, 0.0) if left is not None else 0.0
    bands = 1.2 * rng.standard_normal(12) + 12 * wear * rng.random(12)
    return MachineWindow(
        device_id=f"machine-{number}",
        site_id="mill",
        window_start=BEGIN + timedelta(hours=hours),
        window_seconds=3600,
        features=[*bands.tolist(), 3 + 0.1 * float(rng.standard_normal())],
        rms=float(1 + 0.1 * rng.standard_normal()),
        outcome=SOUND if left is None else DAMAGED if left <= 720 else None,
        hours_to_replacement=left if left is not None and left <= 720 else None,
    )


@pytest.fixture(scope="module")
def rows() -> TrainingSet:
    return TrainingSet([each for number in range(MACHINES) for each in machine(number)])


def test_two_runs_are_equal_to_the_byte_and_the_manifest_says_which_rows_made_them(rows: TrainingSet, tmp_path: Path) -> None:
    for name in ("a", "b"):
        bundle, _ = succeed(rows, Bundle.load(VIBRATION), tmp_path / name, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    first, second = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second
    told = json.loads(first["manifest.json"])["training"]
    assert told["rows_sha256"] == rows.sha256
    assert told["until"] == SNAPSHOT.until.isoformat()
    assert sorted(told["machines"] + told["validation_machines"] + told["held_out_machines"]) == list(rows.machines)
    assert lineage(bundle) == (bundle.sha256, Bundle.load(VIBRATION).sha256)
    assert bundle.recipe == Bundle.load(VIBRATION).recipe


def test_one_that_learned_what_is_usual_follows_and_finds_what_rms_does_not(rows: TrainingSet, tmp_path: Path) -> None:
    _, succession = succeed(rows, Bundle.load(VIBRATION), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    assert not [reason for reason in succession.refusals if "threshold" in reason], succession.table()
    assert succession.metrics[SUCCESSOR].found > succession.metrics[RMS].found
    assert succession.metrics.keys() == {SUCCESSOR, CURRENT, RMS, RISE, KURTOSIS}


def test_one_that_calls_too_much_worn_is_refused_with_the_reasons(rows: TrainingSet, tmp_path: Path) -> None:
    def too_calm(window: MachineWindow) -> MachineWindow:
        return replace(window, features=[0.01 * value for value in window.features]) if window.outcome == SOUND else window

    wrong = TrainingSet([too_calm(window) if window.device_id in set(rows.split()[0].machines) else window for window in rows.windows])
    _, succession = succeed(wrong, Bundle.load(VIBRATION), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    assert any(CURRENT in reason and "false alarms" in reason for reason in succession.refusals), succession.table()


def test_a_machine_is_on_one_side_and_nothing_after_the_cut_is_learned(rows: TrainingSet) -> None:
    known, unseen = rows.split()
    assert set(known.machines).isdisjoint(unseen.machines)
    assert len(unseen.machines) == MACHINES // 3
    assert all(window.window_start < rows.cut for window in known.before(rows.cut).windows)
    assert all(unseen.windows[row].window_start >= rows.cut for row in unseen.sound_from(rows.cut))


def test_each_replacement_is_a_failure_of_its_own(rows: TrainingSet) -> None:
    once = machine(1)
    later = [replace(each, window_start=each.window_start + timedelta(days=DAYS)) for each in once]
    failures = TrainingSet([*once, *later, *machine(3)]).failures
    assert len(failures) == 3
    assert all((np.diff(rows) == 1).all() for rows in failures)
    assert not TrainingSet(machine(0)).failures


def test_the_rise_is_against_what_the_machine_showed_before() -> None:
    first, second, third = machine(0)[:3]
    levels = [replace(each, rms=rms) for each, rms in ((first, 2.0), (second, None), (third, 3.0))]
    rise = TrainingSet(levels).rise
    assert np.isnan(rise[:2]).all()
    assert rise[2] == 1.5


@pytest.mark.parametrize("numbers", [range(0, MACHINES, 2), range(2)], ids=["nothing was replaced", "two machines"])
def test_too_little_to_compare_on_is_said(numbers: range) -> None:
    few = TrainingSet([each for number in numbers for each in machine(number)])
    with pytest.raises(ValueError, match="too few to compare on"):
        comparable(few.split()[1], few.cut)


def test_nothing_known_to_be_sound_is_said(rows: TrainingSet) -> None:
    unknown = TrainingSet([replace(each, outcome=None) for each in rows.windows])
    with pytest.raises(ValueError, match=r"of none of the \d+ windows it is known"):
        succeed(unknown, Bundle.load(VIBRATION), Path("unused"), version="2.0.0", snapshot=SNAPSHOT, size=TINY)
