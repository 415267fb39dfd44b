"""Kills a pipeline on Prism again and again, or Prism under it, while messages come with repeats; then asks what is lost and repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event

from lab.console import Console
from lab.engines.load import Load
from lab.engines.stand import Stand, is_gone, kill
from lab.services.stack import StartFailed

TOGETHER = 50
"""So many different messages are published at once."""
ENGINES_SHARE = 0.2
"""So many kills are of Prism alone."""
_LONGEST_LIFE = 6.0
"""Seconds after which a pipeline that pulls is killed at the latest."""
_END_SECONDS = 30.0
LEASE_SECONDS = 40.0
"""Repeats that a killed pipeline had come again when their leases end, and are to be acknowledged."""
_QUIET_SECONDS = 120.0
"""Four leases: when nothing arrives for so long, nothing will."""
_STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """Says how often to kill, how many messages come a second meanwhile, and the seed of when and whom."""

    count: int
    rate: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """Is what came of it. `copies` are batches that were written once more, which views show once; `orphans` are engines that outlived
    their pipeline, or pipelines that outlived their engine.
    """

    count: int
    of_engine: int
    messages: int
    lost: int
    repeated: int
    copies: int
    left: int
    wrong_hours: int
    orphans: int
    seconds: float
    messages_per_second: float = 0.0
    """What is read of a backlog, where that was measured."""


def run(stand: Stand, load: Load, plan: Plan, console: Console) -> Kills:
    """Publishes of the load while it kills, waits until all has arrived, and compares. Raises StartFailed."""
    rng, began, killed = random.Random(plan.seed), time.monotonic(), Event()
    stand.start()
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(_publish, stand, load, plan, killed)
        try:
            found = [_kill(stand, number, rng, console) for number in range(1, plan.count + 1)]
            stand.wait_until_pulling(plan.count + 1)
        finally:
            killed.set()
        load = replace(load, messages=publishing.result())
    console.log(f"{load.messages} messages are published, {plan.count} kills are done")
    wait(stand, lambda: stand.batches() >= load.messages, console)
    time.sleep(LEASE_SECONDS)
    stand.pipeline.stop(20.0)
    left = stand.left()
    stand.recompute()
    shown = stand.shown(load)
    return Kills(
        count=plan.count,
        of_engine=sum(of_engine for of_engine, _ in found),
        messages=load.messages,
        lost=shown.lost,
        repeated=shown.repeated,
        copies=stand.copies(),
        left=left,
        wrong_hours=wrong_hours(stand, load),
        orphans=sum(orphan for _, orphan in found),
        seconds=time.monotonic() - began,
    )


def _publish(stand: Stand, load: Load, plan: Plan, killed: Event) -> int:
    """Publishes until all kills are done. Returns how many different messages that were."""
    began, sent, different = time.monotonic(), 0, 0
    for portion in load.published(random.Random(plan.seed), TOGETHER):
        stand.publish(portion)
        sent, different = sent + len(portion), min(different + TOGETHER, load.messages)
        if killed.wait(max(0.0, began + sent / plan.rate - time.monotonic())):
            break
    return different


def wrong_hours(stand: Stand, load: Load) -> int:
    """Counts the hours of which a rollup shows anything but the sums of what was sent."""
    hours, sums = stand.hours(load), load.sums()
    return sum(hours.get(key) != sums.get(key) for key in hours.keys() | sums.keys())


def _kill(stand: Stand, number: int, rng: random.Random, console: Console) -> tuple[bool, bool]:
    """Kills one that pulls, at random, and starts the next. Returns whether it was the engine, and whether the other outlived it."""
    stand.wait_until_pulling(number)
    time.sleep(rng.uniform(0.0, _LONGEST_LIFE))
    engine, is_engine = stand.engine(), rng.random() < ENGINES_SHARE
    if engine is None or stand.pipeline.status is not None:
        raise StartFailed(stand.pipeline.failure_text("ended by itself"))
    if is_engine:
        kill(engine)
        orphan = not _ended(stand)
        stand.pipeline.kill()
    else:
        stand.pipeline.kill()
        orphan = not is_gone(engine)
    console.log(f"kill {number} of {'Prism' if is_engine else 'the pipeline'} with {stand.batches()} batches written")
    stand.start()
    return is_engine, orphan


def _ended(stand: Stand) -> bool:
    deadline = time.monotonic() + _END_SECONDS
    while stand.pipeline.status is None and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    return bool(stand.pipeline.status)


def wait(stand: Stand, done: Callable[[], bool], console: Console) -> None:
    """Waits until all has arrived, or nothing does for long: what is missing then is lost."""
    seen, since = stand.batches(), time.monotonic()
    while not done() and time.monotonic() - since < _QUIET_SECONDS and stand.pipeline.status is None:
        if (now := stand.batches()) != seen:
            seen, since = now, time.monotonic()
        console.status(f"{seen} batches are written")
        time.sleep(1.0)
