"""The section of the vibration model's page about real recordings. Written, never edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.models.bundle import Bundle
from training.vibration.recordings import HEALTHY, INNER_LOADS, OUTER, OUTER_LOADS, SOURCE, Recording, read
from training.vibration.replay import FRAMES, Figures, adapted, figures, rule, shipped, turns
from training.vibration.train import FALSE_ALARMS

SHIPPED, ADAPTED = "**model as shipped, trained on simulated machines**", "same network, trained on one healthy run"
_RULES = {"threshold on RMS": "rms", "threshold on RMS relative to the healthy run's": "rise", "threshold on kurtosis": "kurtosis"}
_TITLES = {OUTER: "outer race, same load", OUTER_LOADS: "outer race, other loads", INNER_LOADS: "inner race, other loads"}


def section(directory: Path, archive: Path, seed: int) -> str:
    """Replays the recordings in `archive` and says what came of it."""
    bundle, runs = Bundle.load(directory), read(archive)
    kinds = {run.name: run.kind for run in runs if run.kind != HEALTHY}
    made = turns(runs)
    said = {
        SHIPPED: shipped(bundle, made),
        ADAPTED: adapted(runs, made, seed),
        **{name: rule(made, level) for name, level in _RULES.items()},
    }
    found = {name: figures(kinds, each) for name, each in said.items()}
    count = sum(len(heard.hours) for heard in made[0].heard.values())
    return _section(bundle, runs, found, count)


def _section(bundle: Bundle, runs: Sequence[Recording], found: Mapping[str, Figures], count: int) -> str:
    seconds, healthy = (sum(run.seconds for run in few) for few in (runs, [run for run in runs if run.kind == HEALTHY]))
    return f"""## On real recordings

Written by `tinybeam train vibration --recording` about `models/vibration` {bundle.version}, SHA-256 `{bundle.sha256}`.

{len(runs)} runs of a bearing test rig, {seconds:g} s in all, which come with the Python package {SOURCE.name} {SOURCE.version}. By their
rates, loads and names they are the fault data set of the Society for Machinery Failure Prevention Technology (MFPT): an accelerometer
on the housing of a NICE bearing at {runs[0].speed_hz:g} turns a second. The package calls its sample data CC BY-NC-SA 4.0: not for
commercial use. So they are fetched when this command asks for them; nothing of them is kept here, and no model that is shipped was
trained on them.

{_runs(runs)}

Each run is brought to 12,000 samples a second and cut into windows of {FRAMES} frames, which overlap within a window and not between
windows, and goes through the gateway's own code: bands, levels, features, int8 model. One healthy run is the machine's history, what is
usual; a second one sets thresholds, by the same rule as above ({FALSE_ALARMS:.1%} of its windows may lie above; with so few windows that
is about the largest); the third is held out. All six orders take their turn: {count} windows in each. No figure is about a run that
anything was trained or set on. The model as shipped keeps its own threshold, and is only told the history. No band, input, network or
threshold was chosen by looking at these runs; how they are cut into windows was corrected once, after a first look, so that windows do
not overlap.

{_table(found)}

{_judgement(found)}

What this does not show. The healthy runs are three times the same: one bearing, one load, one speed, {healthy:g} s in all; false alarms
of a machine in daily use are not measured. The faults are far along, and how they came about the package does not say. The bearing was
changed between healthy and faulty runs, so that part of what is found may be another assembly. Runs with other loads also differ from
the healthy ones in load, and were taken at another sampling rate: only the first column compares like with like."""


def _runs(runs: Sequence[Recording]) -> str:
    head = "| runs | condition | length of each | sampled at | load, as the source says |\n|--:|---|--:|--:|---|"
    kinds = {HEALTHY: "healthy", **_TITLES}
    rows = []
    for kind, title in kinds.items():
        of = [run for run in runs if run.kind == kind]
        loads = ", ".join(f"{load:g}" for load in sorted({run.load for run in of}))
        rows.append(f"| {len(of)} | {title} | {of[0].seconds:g} s | {of[0].rate_hz:,.0f} Hz | {loads} |")
    return "\n".join([head, *rows])


def _table(found: Mapping[str, Figures]) -> str:
    titles = list(_TITLES.values())
    head = "| found (AUC) | " + " | ".join(titles) + " | false alarms | in the worst turn |\n|---|" + "--:|" * (len(titles) + 2)
    rows = []
    for name, each in found.items():
        shares = " | ".join(f"{each.found[kind]:.1%} ({each.auc[kind]:.3f})" for kind in _TITLES)
        rows.append(f"| {name} | {shares} | {each.false_alarms:.1%} | {each.worst:.1%} |")
    return "\n".join([head, *rows])


def _judgement(found: Mapping[str, Figures]) -> str:
    ours = found[SHIPPED]
    lines = []
    for name, other in found.items():
        if name == SHIPPED:
            continue
        better = [title for kind, title in _TITLES.items() if other.found[kind] > ours.found[kind]]
        alike = all(other.found[kind] == ours.found[kind] for kind in _TITLES)
        says = f"finds more in: {', '.join(better)}" if better else "finds exactly as much" if alike else "finds no more in any column"
        calm = "more" if other.false_alarms > ours.false_alarms else "fewer" if other.false_alarms < ours.false_alarms else "as many"
        lines.append(f"- {name.strip('*')}: {says}; {calm} false alarms.")
    return "Against the model as shipped:\n\n" + "\n".join(lines)
