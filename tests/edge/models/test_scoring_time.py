"""A heartbeat says how long the model in force took for a window: since the heartbeat before, and of no other model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.models.infer import ModelRunner
from edge.models.running import Withheld, begin_measuring, columns_of
from edge.models.scorer import Score
from edge.models.slot import Slot
from edge.reading import Reading
from edge.store.section import Section
from edge.window import Window
from schemas.envelope import micros
from tests.edge.gateways import rows
from tests.edge.releases.field import Field, Speaker, bundle, loaded


class Slow(Speaker):
    """Takes so many seconds for each call, by a clock that it moves."""

    def __init__(self, *calls: float) -> None:
        super().__init__()
        self.now, self._calls = 0.0, list(calls)

    def clock(self) -> float:
        return self.now

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        self.now += self._calls.pop(0)
        return super().score(name, features)


def window(device: str, minute: int) -> Window:
    start = micros(datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=minute))
    filled = Window(device, start, 60, late=False)
    filled.add(Reading(device, start, start, "synced", None, minute, True, {"moisture": 0.3}))
    return filled


def said(slot: Slot) -> tuple[object, object]:
    columns = columns_of({"field": slot}, Withheld())
    return columns["scoring_ms"], columns["scoring_longest_ms"]


def test_it_is_the_mean_of_windows_and_the_longest_call() -> None:
    scorer = Slow(0.003, 0.001)
    slot, runner = Slot(loaded(bundle("one"), scorer)), ModelRunner(Section, scorer.clock)
    assert said(slot) == (None, None)
    runner.infer(slot, [window("d1", 0), window("d2", 0), window("d3", 0)])
    runner.infer(slot, [window("d1", 1)])
    assert said(slot) == ('{"soil": 1.0}', '{"soil": 3.0}')
    begin_measuring([slot])
    assert said(slot) == (None, None)


def test_what_another_model_took_is_not_counted() -> None:
    before, after = Slow(9.0), Slow(0.002)
    slot = Slot(loaded(bundle("one"), before))
    runner = ModelRunner(Section, lambda: before.now + after.now)
    runner.infer(slot, [window("d1", 0)])
    slot.put_in_force(loaded(bundle("two", 2), after), 0)
    runner.infer(slot, [window("d1", 2)])
    assert said(slot) == ('{"soil": 2.0}', '{"soil": 2.0}')


def test_heartbeats_have_it_of_the_time_since_the_one_before(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(24)
    field.gateway.models_changed(Withheld())
    field.speak(1)
    field.gateway.models_changed(Withheld())
    field.turn()
    *_, told, silent = rows(field.store, "heartbeats")
    assert json.loads(told["scoring_ms"])["soil"] <= json.loads(told["scoring_longest_ms"])["soil"]
    assert "scoring_ms" not in silent or silent["scoring_ms"] is None
