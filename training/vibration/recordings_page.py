"""Renders the section of the vibration model's page about real recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.models.bundle import Bundle
from training.build.page import render
from training.vibration.recordings import HEALTHY, INNER_LOADS, OUTER, OUTER_LOADS, SOURCE, Recording, read
from training.vibration.replay import FRAMES, Figures, adapted, figures, folds, rule, shipped
from training.vibration.train import FALSE_ALARMS

SHIPPED, ADAPTED = "**model as shipped, trained on simulated machines**", "same network, trained on one healthy run"
_TEMPLATE = Path(__file__).with_name("recordings.md.j2")
_RULES = {"threshold on RMS": "rms", "threshold on RMS relative to the healthy run's": "rise", "threshold on kurtosis": "kurtosis"}
FAULTS = {OUTER: "outer race, same load", OUTER_LOADS: "outer race, other loads", INNER_LOADS: "inner race, other loads"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Describes the runs of one condition."""

    title: str
    count: int
    seconds: float
    """Each run is so long."""
    rate_hz: float
    loads: tuple[float, ...]
    speed_hz: float


@dataclass(frozen=True, slots=True)
class RecordingFigures:
    """Holds what a replay of the recordings gave."""

    runs: tuple[Runs, ...]
    """The healthy ones come first."""
    found: Mapping[str, Figures]
    """Each name is that of what was measured."""
    windows: int
    """Each fold has so many."""


def replay(directory: Path, archive: Path, seed: int) -> RecordingFigures:
    """Replays the recordings in `archive` through the bundle and the rules it has to beat."""
    bundle, recordings = Bundle.load(directory), read(archive)
    kinds = {recording.name: recording.kind for recording in recordings if recording.kind != HEALTHY}
    all_folds = folds(recordings)
    scored = {
        SHIPPED: shipped(bundle, all_folds),
        ADAPTED: adapted(recordings, all_folds, seed),
        **{name: rule(all_folds, feature) for name, feature in _RULES.items()},
    }
    return RecordingFigures(
        runs=runs_by_condition(recordings),
        found={name: figures(kinds, scores) for name, scores in scored.items()},
        windows=sum(len(observed.hours) for observed in all_folds[0].observations.values()),
    )


def section_text(replayed: RecordingFigures, bundle: Bundle) -> str:
    """Renders the section."""
    return render(
        _TEMPLATE,
        bundle=bundle,
        source=SOURCE,
        replayed=replayed,
        healthy=replayed.runs[0],
        seconds=sum(run.count * run.seconds for run in replayed.runs),
        frames=FRAMES,
        false_alarms=FALSE_ALARMS,
        faults=FAULTS,
        others={name.strip("*"): _against(other, replayed.found[SHIPPED]) for name, other in replayed.found.items() if name != SHIPPED},
    ).rstrip()


def runs_by_condition(recordings: Sequence[Recording]) -> tuple[Runs, ...]:
    """Describes the runs of each condition, the healthy ones first."""
    by_title = {
        title: [recording for recording in recordings if recording.kind == kind] for kind, title in {HEALTHY: "healthy", **FAULTS}.items()
    }
    return tuple(
        Runs(
            title=title,
            count=len(alike),
            seconds=alike[0].seconds,
            rate_hz=alike[0].rate_hz,
            loads=tuple(sorted({recording.load for recording in alike})),
            speed_hz=alike[0].speed_hz,
        )
        for title, alike in by_title.items()
    )


def _against(other: Figures, ours: Figures) -> str:
    """Says where the other finds more, and whether with more false alarms."""
    better = [title for kind, title in FAULTS.items() if other.recall[kind] > ours.recall[kind]]
    equal = all(other.recall[kind] == ours.recall[kind] for kind in FAULTS)
    finds = f"finds more in: {', '.join(better)}" if better else "finds exactly as much" if equal else "finds no more in any column"
    alarms = "more" if other.false_alarms > ours.false_alarms else "fewer" if other.false_alarms < ours.false_alarms else "as many"
    return f"{finds}; {alarms} false alarms"
