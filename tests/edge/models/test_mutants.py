"""M5: a model that crashes, hangs, eats memory or answers nonsense costs its inferences, and intake nothing."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from edge.gateway import Gateway
from edge.models.bundle import Bundle
from edge.models.process_scorer import ProcessScorer, Timeouts
from edge.store.store import Store
from tests import long_form
from tests.edge.folders import memory_folder
from tests.edge.gateways import START, config, message, rows
from tests.edge.models.test_process_scorer import SOIL, TWIN, changed, children

MUTANTS = long_form.number(16, 5_000)
SEED = 20260501
READINGS = 10
TIMEOUTS = Timeouts(start=2.0, call=0.3)
LONGEST = 2.0
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
        return bundle, ProcessScorer.of_usable([bundle], unusable, timeouts=TIMEOUTS), "damaged"
    habit, bundle = HABITS[mutant // 2 % len(HABITS)], Bundle.load(SOIL)
    return bundle, ProcessScorer.of_usable([bundle], unusable, timeouts=TIMEOUTS, command=(sys.executable, str(TWIN), habit)), habit


def intake(folder: Path, bundle: Bundle, scorer: ProcessScorer) -> tuple[int, int, float]:
    """Readings that came through a gateway with this model, its inferences, and for how many seconds at most it took nothing."""
    bundle = replace(bundle, recipe=replace(bundle.recipe, warm_up_hours=0.0))  # so that it is asked at once
    place = config(folder, sensors=SENSORS, models=[{"name": "soil", "bundle": str(SOIL)}])
    store, longest = Store(place.store_file, "gw-1", 16 << 20), 0.0
    gateway = Gateway(place, store, START, scorer=scorer, bundles={"soil": bundle})
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


def test_no_model_stops_intake_whatever_it_does() -> None:
    rng, kinds, before, longest, inferred = Random(SEED), Counter[str](), children(), 0.0, 0
    for mutant in range(MUTANTS):
        with memory_folder() as folder:
            bundle, scorer, kind = scorer_of(folder, mutant, rng)
            with scorer:
                counted, inferences, pause = intake(folder, bundle, scorer)
        assert counted == READINGS, f"seed {SEED}, mutant {mutant}, {kind}"
        assert pause < LONGEST, f"seed {SEED}, mutant {mutant}, {kind}"
        kinds[kind], longest, inferred = kinds[kind] + 1, max(longest, pause), inferred + inferences
        long_form.progress(mutant, MUTANTS)
    assert children() == before
    assert set(kinds) == {"damaged", *HABITS}
    which = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    text = f"{MUTANTS:,} mutants ({which}): {MUTANTS * READINGS:,} of as many readings taken, intake paused for {longest:.2f} s at most"
    long_form.note("M5", measured=text, seed=SEED)


def test_a_hang_without_a_bound_would_be_seen(tmp_path: Path) -> None:
    patient = Timeouts(start=TIMEOUTS.start, call=LONGEST + 0.5)
    bundle = Bundle.load(SOIL)
    with ProcessScorer([bundle], timeouts=patient, command=(sys.executable, str(TWIN), "hang")) as scorer:
        _, _, pause = intake(tmp_path, bundle, scorer)
    assert pause > LONGEST
    text = f"a hang that is waited for {patient.call:g} s is seen as a pause of {pause:.1f} s, where {LONGEST:g} s are allowed"
    long_form.note("M5", control=text)
