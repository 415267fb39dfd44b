"""Reads of Linux what other processes take: which they started, and their processor time."""

from __future__ import annotations

import time
from pathlib import Path


def children(pid: int) -> list[int]:
    """Returns the processes that a process started and that run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Returns the processor time, user and system, of all threads of a process, those that ended too. Raises OSError if it has ended."""
    # What clock_getcpuclockid(3) computes: Linux's number of the clock of a process.
    return time.clock_gettime(~pid << 3 | 2)
