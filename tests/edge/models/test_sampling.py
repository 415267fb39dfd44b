"""Windows that are worth learning from are kept, within the day's bytes, and the same ones whatever restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models.bundle import Bundle
from edge.models.sampling import Sampling
from edge.settings.samples import SampleSettings
from edge.store.batch import BatchLimits, EncodedBatch, encode_all
from edge.store.section import Section
from schemas.records import Inference, Kind, Sample, SampleReason
from tests.edge.test_gateway import SOIL

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BUNDLE = replace(Bundle.load(SOIL), reference=((0.1, 0.2, 0.4), (5.0, 15.0, 25.0)), thresholds=(2.0, 5.0))


def inference(number: int = 0, *, score: float = 9.0, uncertainty: float = 1.0, features: Sequence[float] = (0.3, 14.0)) -> Inference:
    return Inference(
        device_id="d1",
        window_start=NOON + timedelta(minutes=number),
        window_seconds=60,
        model="soil",
        model_version="1",
        model_sha256="ab" * 32,
        runtime="none",
        label=BUNDLE.label(score),
        score=score,
        uncertainty=uncertainty,
        features=tuple(features),
        time_quality="synced",
    )


def settings(*, budget: int = 1 << 20, one_in: int = 0, within: float = 0.1) -> SampleSettings:
    return SampleSettings(max_bytes_per_day=budget, random_one_in=one_in, uncertain_within=within)


class Taken:
    """Encodes as a gateway does, and keeps the rows of the last batches."""

    def __init__(self) -> None:
        self.rows: list[Sample] = []

    def __call__(self, rows: Sequence[Sample]) -> list[EncodedBatch]:
        self.rows = list(rows)
        return encode_all(Kind.SAMPLES, rows, [], BatchLimits())


@pytest.mark.parametrize(
    ("verdict", "shadow", "reason"),
    [
        (inference(), None, []),
        (inference(), "fine", []),
        (inference(), "now", [SampleReason.SHADOW]),
        (inference(features=(0.3, 4.9)), None, [SampleReason.OUTSIDE]),
        (inference(features=(0.5, 14.0)), None, [SampleReason.OUTSIDE]),
        (inference(score=5.09), None, [SampleReason.UNCERTAIN]),
        (inference(score=5.11), None, []),
        (inference(score=5.11, uncertainty=4.0), None, [SampleReason.UNCERTAIN]),
    ],
)
def test_a_window_is_kept_for_a_reason(verdict: Inference, shadow: str | None, reason: list[str]) -> None:
    sampling = Sampling(settings(), Section)
    sampling.look(verdict, BUNDLE, shadow)
    taken = Taken()
    sampling.batches(taken, NOON)
    assert [row.reason for row in taken.rows] == reason


def test_one_window_in_so_many_is_drawn_and_the_same_ones_by_every_gateway() -> None:
    drawn = []
    for _ in range(2):
        sampling, taken = Sampling(settings(one_in=20), Section), Taken()
        for number in range(4000):
            sampling.look(inference(number), BUNDLE)
        sampling.batches(taken, NOON)
        drawn.append([row.window_start for row in taken.rows])
    assert drawn[0] == drawn[1]
    assert 150 < len(drawn[0]) < 250


def test_without_a_budget_nothing_is_kept() -> None:
    sampling = Sampling(settings(budget=0, one_in=1), Section)
    sampling.look(inference(), BUNDLE)
    assert sampling.batches(Taken(), NOON) == []


def test_what_is_drawn_goes_before_what_is_uncertain_where_room_is_short() -> None:
    sampling, taken = Sampling(settings(budget=1600), Section), Taken()
    for number in range(90):
        sampling.look(inference(number, score=5.0 + 0.001 * number, features=(0.3 + 0.0007 * number, 14.0)), BUNDLE)
    sampling.look(inference(100), BUNDLE, "now")
    assert sampling.batches(taken, NOON)
    assert taken.rows[0].reason == SampleReason.SHADOW
    assert 1 < len(taken.rows) < 91


@given(
    st.lists(st.tuples(st.integers(0, 60 * 30), st.integers(1, 40), st.booleans()), min_size=1, max_size=12),
    st.integers(200, 5000),
)
def test_a_day_never_takes_more_than_its_bytes_whatever_restarts(cuts: list[tuple[int, int, bool]], budget: int) -> None:
    section = Section("samples")
    spent: dict[int, int] = {}
    now, number = NOON, 0
    for minutes, windows, dies in cuts:
        now += timedelta(minutes=minutes)
        sampling = Sampling(settings(budget=budget, one_in=1), partial(Section, values=dict(section.items())))
        for _ in range(windows):
            number += 1
            sampling.look(inference(number), BUNDLE)
        batches = sampling.batches(Taken(), now)
        if dies:
            continue
        sampling.mark_cut()
        [section] = sampling.sections
        spent[now.toordinal()] = spent.get(now.toordinal(), 0) + sum(len(batch.body) for batch in batches)
        assert spent[now.toordinal()] <= budget
        assert sampling.batches(Taken(), now) == [], "what is cut is not cut again"


def test_a_cut_that_fails_spends_once() -> None:
    sampling = Sampling(settings(budget=1 << 16, one_in=1), Section)
    sampling.look(inference(), BUNDLE)
    first, again = (sampling.batches(Taken(), NOON) for _ in range(2))
    assert [batch.body for batch in first] == [batch.body for batch in again]
    [section] = sampling.sections
    assert section.get() == b"%d %d" % (NOON.toordinal(), len(first[0].body))
