"""Reads of Linux what other processes take: which they started, and their processor time."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """Returns the processes that a process started and that run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Returns the processor time, user and system, of all threads of a process that run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
