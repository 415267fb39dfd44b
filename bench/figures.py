"""A figure, how it is measured, and its file. Ways are measured by turns, A B A B: what else the machine does meets all alike."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is value / baseline, null where nothing compares. `value` is null where nothing was measured: `name` says why."""

    name: str
    value: float | None
    unit: str
    baseline: float | None
    ratio: float | None
    command: str


Say = Callable[[str], None]
"""Tells the user where we are."""


def figure(name: str, value: float, unit: str, baseline: float | None, command: str) -> Figure:
    """Four significant digits are more than a shared machine gives."""
    ratio = significant(value / baseline) if baseline else None
    return Figure(name, significant(value), unit, significant(baseline) if baseline else None, ratio, command)


def significant(value: float) -> float:
    return float(f"{value:.4g}")


def by_turns(ways: dict[str, Callable[[], float]], turns: int, say: Say) -> dict[str, float]:
    """The median of what each way returned in `turns` turns. One turn goes before and is forgotten."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            got = way()
            say(f"{name}: {got:,.0f}" + ("" if turn else " (warming up)"))
            if turn:
                found[name].append(got)
    return {name: median(values) for name, values in found.items()}


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time, user and system, of all threads of this process: what the work costs, however long it had to wait for a core."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def write(folder: Path, name: str, figures: Sequence[Figure]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n")
    return file


def read(file: Path) -> list[Figure]:
    """Raises TypeError for a file that holds anything else."""
    return [Figure(**one) for one in json.loads(file.read_text())]


def machine() -> dict[str, str]:
    """What the figures were measured on, as far as they depend on it."""
    return {
        "cores": str(os.cpu_count()),
        "load average": f"{os.getloadavg()[0]:.1f}",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("apache-beam", "pyarrow", "numpy")},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.processor() or "unknown"
