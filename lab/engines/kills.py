"""Kills a pipeline on Prism again and again, or Prism under it, while messages come with repeats; then asks what is lost and repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.console import Console
from lab.engines.load import Load
from lab.engines.stand import Stand, is_gone, kill
from lab.services.stack import StartFailed

ENGINES_SHARE = 0.2
"""So many kills are of Prism alone."""
_LONGEST_LIFE = 6.0
"""Seconds after which a pipeline that pulls is killed at the latest."""
_END_SECONDS = 30.0
_LEASE_SECONDS = 40.0
"""Repeats that a killed pipeline had come again when their leases end, and are to be acknowledged."""
_ARRIVAL_SECONDS = 300.0
_STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """Says how often to kill, how many messages come a second, and the seed of when and whom."""

    count: int
    rate: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """Is what came of it. `orphans` are engines that outlived their pipeline, or pipelines that outlived their engine."""

    count: int
    of_engine: int
    messages: int
    lost: int
    repeated: int
    left: int
    wrong_hours: int
    orphans: int
    seconds: float
    messages_per_second: float = 0.0
    """What is read of a backlog, where that was measured."""

    @property
    def sound(self) -> bool:
        return not (self.lost or self.repeated or self.left or self.wrong_hours or self.orphans)


def run(stand: Stand, load: Load, plan: Plan, console: Console) -> Kills:
    """Publishes the load, kills meanwhile, waits until all has arrived, and compares. Raises StartFailed."""
    rng, began = random.Random(plan.seed), time.monotonic()
    stand.start()
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(_publish, stand, load, plan)
        found = [_kill(stand, number, rng, console) for number in range(1, plan.count + 1)]
        stand.wait_until_pulling(plan.count + 1)
        publishing.result()
    console.log(f"{load.messages} messages are published, {plan.count} kills are done")
    wait(stand, lambda: stand.batches() >= load.messages, console)
    time.sleep(_LEASE_SECONDS)
    stand.pipeline.stop(20.0)
    left = stand.left()
    stand.recompute()
    shown, hours, sums = stand.shown(load), stand.hours(load), load.sums()
    return Kills(
        count=plan.count,
        of_engine=sum(of_engine for of_engine, _ in found),
        messages=load.messages,
        lost=shown.lost,
        repeated=shown.repeated,
        left=left,
        wrong_hours=sum(hours.get(key) != sums.get(key) for key in hours.keys() | sums.keys()),
        orphans=sum(orphan for _, orphan in found),
        seconds=time.monotonic() - began,
    )


def _publish(stand: Stand, load: Load, plan: Plan) -> None:
    began, sent = time.monotonic(), 0
    for portion in load.published(random.Random(plan.seed)):
        stand.publish(portion)
        sent += len(portion)
        time.sleep(max(0.0, began + sent / plan.rate - time.monotonic()))


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
    """Waits until all has arrived, or for long enough: what is missing then is lost."""
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    while not done() and time.monotonic() < deadline and stand.pipeline.status is None:
        console.status(f"{stand.batches()} batches are written")
        time.sleep(1.0)
