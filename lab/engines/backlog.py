"""Lets a pipeline on Prism read a backlog: how fast it is read, how fast it is written, and how much memory that takes at most."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from lab.console import Console
from lab.engines.kills import wait
from lab.engines.load import Load
from lab.engines.stand import Stand
from pipeline.io.subscription.source import MOST_TOGETHER

_STEP_SECONDS = 0.2
_TOGETHER = 500
_READ_ALONE = 20_000
"""The emulator keeps what was acknowledged, and has little memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Is what came of it: messages pulled, leased and acknowledged a second by themselves, and written a second from the first pull on; and
    the most memory of pipeline and engine, in MB.
    """

    messages: int
    seconds: float
    read_per_second: float
    written_per_second: float
    pipeline_mb: int
    engine_mb: int


def run(stand: Stand, load: Load, console: Console) -> Backlog:
    """Publishes the load, then starts a pipeline and waits until all of it is written. Raises StartFailed."""
    read_per_second = _read(stand, replace(load, messages=min(load.messages, _READ_ALONE)))
    console.log(f"{read_per_second:.0f} messages a second are read; {load.messages} others are to be pending")
    _publish(stand, load)
    stand.start()
    stand.wait_until_pulling(1)
    began, done = time.monotonic(), Event()
    with ThreadPoolExecutor(1) as pool:
        peaks = pool.submit(_peaks, stand, done)
        wait(stand, lambda: stand.batches() >= load.messages, console)
        seconds = time.monotonic() - began
        done.set()
        pipeline, engine = peaks.result()
    return Backlog(
        messages=load.messages,
        seconds=seconds,
        read_per_second=read_per_second,
        written_per_second=stand.batches() / seconds,
        pipeline_mb=pipeline,
        engine_mb=engine,
    )


def _publish(stand: Stand, load: Load) -> None:
    for portion in load.published(random.Random(1), together=_TOGETHER):
        stand.publish(portion)


def _read(stand: Stand, load: Load) -> float:
    """Reads the load as a pipeline does, and acknowledges it at once. Returns how many messages a second."""
    _publish(stand, load)
    puller = stand.puller()
    began, read = time.monotonic(), 0
    puller.start()
    while read < load.messages:
        messages = puller.take(MOST_TOGETHER, _STEP_SECONDS)
        puller.acknowledge([message.ack_id for message in messages])
        read += len(messages)
    seconds = time.monotonic() - began
    puller.close()
    return read / seconds


def _peaks(stand: Stand, done: Event) -> tuple[int, int]:
    """Returns the most resident memory of both, looked at several times a second."""
    pipeline = engine = 0
    while not done.wait(_STEP_SECONDS):
        pipeline = max(pipeline, resident_mb(stand.pipeline.pid))
        engine = max(engine, resident_mb(stand.engine() or 0))
    return pipeline, engine


def resident_mb(process: int) -> int:
    """Returns the resident memory of a process, 0 of one that is not there."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)
