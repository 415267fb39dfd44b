"""M5: a model that crashes, hangs, eats memory or answers nonsense costs its inferences, and intake nothing."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

from edge.gateway import Gateway
from edge.models.bundle import Bundle
from edge.models.process_scorer import ProcessScorer, Timeouts
from edge.models.running import slots_of
from edge.store.store import Store
from tests import long_form
from tests.edge.folders import memory_folder
from tests.edge.gateways import START, config, message, rows
from tests.edge.models.test_process_scorer import SOIL, TWIN, changed, children

MUTANTS = long_form.number(16, 5_000)
SEED = 20260501
READINGS = 10
AT_ONCE = 6
TIMEOUTS = Timeouts(start=10.0, call=0.3)
LONGEST = 5.0
"""So many seconds intake may stand still for a model, here: two calls, a restart, and a machine that others use."""
HABITS = ("crash", "hang", "nan", "short", "absurd", "excuse", "die", "eat")
SENSORS = [{"name": "soil", "devices": ["d*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}, "model": "soil"}]


def damaged(folder: Path, rng: Random) -> Bundle:
    """The soil model with some bytes changed, as its manifest then says; half of them pass whatever golden cases they have."""
    model = bytearray((SOIL / "model.tflite").read_bytes())
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        model[rng.randrange(len(model))] = rng.randrange(256)
    bundle = changed(folder, lambda _: None, bytes(model))
    if rng.random() < 0.5:
        return bundle
    label = bundle.label(3.0)
    return replace(bundle, limits=(3.0, 3.0), golden=tuple(case._replace(outputs=(3.0, 3.0, 3.0), label=label) for case in bundle.golden))


def scorer_of(folder: Path, mutant: int, rng: Random) -> tuple[Bundle, ProcessScorer, str]:
    def unusable(name: str, error: Exception) -> None: ...

    if mutant % 2:
        bundle = damaged(folder, rng)
        return bundle, ProcessScorer.of_usable(bundle, unusable, timeouts=TIMEOUTS), "damaged"
    habit, bundle = HABITS[mutant // 2 % len(HABITS)], Bundle.load(SOIL)
    return bundle, ProcessScorer.of_usable(bundle, unusable, timeouts=TIMEOUTS, command=(sys.executable, str(TWIN), habit)), habit


def intake(folder: Path, bundle: Bundle, scorer: ProcessScorer) -> tuple[int, int, float]:
    """Readings that came through a gateway with this model, its inferences, and for how many seconds at most it took nothing."""
    bundle = replace(bundle, recipe=replace(bundle.recipe, warm_up_hours=0.0))  # so that it is asked at once
    place = config(folder, sensors=SENSORS, models=[{"name": "soil", "bundle": str(SOIL)}])
    store, longest = Store(place.store_file, "gw-1", 16 << 20), 0.0
    gateway = Gateway(place, store, START, slots=slots_of({"soil": bundle}, scorer))
    for number in range(READINGS):
        now = START + timedelta(seconds=10 * number)
        began = time.monotonic()
        gateway.accept([message("d1", {"time": now.timestamp(), "values": {"moisture": 0.3, "temperature": 20.0}})], now)
        gateway.tick(now)
        longest = max(longest, time.monotonic() - began)
    gateway.flush(START + timedelta(minutes=10))
    counted = sum(row["count"] for row in rows(store, "summaries") if row["channel"] == "moisture")
    inferred = len(rows(store, "inferences"))
    store.close()
    return counted, inferred, longest


class Outcome(NamedTuple):
    """What came of a gateway with one mutant: readings that came through, inferences, and the longest pause of intake in seconds."""

    kind: str
    counted: int
    inferred: int
    pause: float


def outcome(mutant: int) -> Outcome:
    before = children()
    with memory_folder() as folder:
        bundle, scorer, kind = scorer_of(folder, mutant, Random(SEED + mutant))
        with scorer:
            found = intake(folder, bundle, scorer)
    assert children() == before
    return Outcome(kind, *found)


def outcomes() -> Iterator[Outcome]:
    """Of all mutants. In the long form gateways run side by side, each in a process: most of their time they wait for what hangs."""
    if not long_form.is_long():
        yield from map(outcome, range(MUTANTS))
        return
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as gateways:
        yield from gateways.map(outcome, range(MUTANTS))


def test_no_model_stops_intake_whatever_it_does() -> None:
    kinds, inferred, longest = Counter[str](), 0, 0.0
    for mutant, of_it in enumerate(outcomes()):
        assert of_it.counted == READINGS, f"seed {SEED + mutant}, {of_it}"
        assert of_it.pause < LONGEST, f"seed {SEED + mutant}, {of_it}"
        kinds[of_it.kind] += 1
        inferred, longest = inferred + of_it.inferred, max(longest, of_it.pause)
        long_form.progress(mutant, MUTANTS)
    assert set(kinds) == {"damaged", *HABITS}
    which = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    taken = f"{MUTANTS * READINGS:,} of as many readings taken, {inferred:,} inferences, intake paused for {longest:.2f} s at most"
    long_form.note("M5", measured=f"{MUTANTS:,} mutants ({which}): {taken}", seed=SEED)


def test_a_hang_without_a_bound_would_be_seen(tmp_path: Path) -> None:
    patient = Timeouts(start=TIMEOUTS.start, call=LONGEST + 0.5)
    bundle = Bundle.load(SOIL)
    with ProcessScorer([bundle], timeouts=patient, command=(sys.executable, str(TWIN), "hang")) as scorer:
        _, _, pause = intake(tmp_path, bundle, scorer)
    assert pause > LONGEST
    text = f"a hang that is waited for {patient.call:g} s is seen as a pause of {pause:.1f} s, where {LONGEST:g} s are allowed"
    long_form.note("M5", control=text)
