"""Measures figures and keeps them in a file. Subjects are measured by turns, A B A B, so that other load affects all alike."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure has a measured value and its baseline.

    `ratio` is value / baseline, null where nothing compares. `value` is null where nothing was measured: `name` says why.
    """

    name: str
    value: float | None
    unit: str
    baseline: float | None
    ratio: float | None
    command: str


Log = Callable[[str], None]
"""Writes a line of progress."""


def figure(name: str, value: float, unit: str, baseline: float | None, command: str) -> Figure:
    """Builds a figure of four significant digits, more than a shared machine gives."""
    ratio = significant(value / baseline) if baseline else None
    return Figure(
        name=name,
        value=significant(value),
        unit=unit,
        baseline=significant(baseline) if baseline else None,
        ratio=ratio,
        command=command,
    )


def significant(value: float) -> float:
    return float(f"{value:.4g}")


def by_turns(subjects: dict[str, Callable[[], float]], turns: int, log: Log) -> dict[str, float]:
    """Returns the median of what each subject returned in `turns` turns, after one turn to warm up."""
    values: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(turns + 1):
        for name, measure in subjects.items():
            value = measure()
            log(f"{name}: {value:,.0f}" + ("" if turn else " (warming up)"))
            if turn:
                values[name].append(value)
    return {name: median(series) for name, series in values.items()}


def cpu_seconds(work: Callable[[], object]) -> float:
    """Measures processor time, user and system, of all threads of this process: the cost of the work, however long it waited for a core."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def write(folder: Path, name: str, figures: Sequence[Figure]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    return file


def read(file: Path) -> list[Figure]:
    """Reads figures from their file. Raises TypeError for a file with other content."""
    return [Figure(**row) for row in json.loads(file.read_text())]


def machine() -> dict[str, str]:
    """Describes the machine, as far as the figures depend on it."""
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
    model = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return model[1] if model else platform.processor() or "unknown"
