"""What is pending adds up to what came, whatever dies when, and nothing that left the deadband stays pending."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from math import fsum, inf
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import Reading
from edge.store.section import Section
from edge.summaries.deadband import CountedSummary, Deadbands, PendingSummary
from edge.summaries.summarise import summaries
from edge.window import Window
from schemas import sketch
from schemas.envelope import from_micros, micros
from schemas.intervals import IntervalSet
from schemas.records import Inference, Summary
from tests.edge.gateways import START
from tests.edge.sections import Memory

DEADBAND = 0.1
MINUTE = timedelta(minutes=1)


def over(watermark_us: int) -> Callable[[str, int], bool]:
    return lambda _device_id, end_us: end_us <= watermark_us


def counted(
    minute: int, values: list[float], seq: int | None = 0, seconds: int = 60, quality: str = "synced", unit: str = "m"
) -> CountedSummary:
    """The summary of a window so many minutes after START, of readings a second apart."""
    start = micros(START) + minute * 60_000_000
    readings = [
        Reading(
            "d1",
            start + at * 1_000_000,
            start + at * 1_000_000 + 5000,
            quality,
            None,
            None if seq is None else seq + at,
            True,
            {"a": value},
        )
        for at, value in enumerate(values)
    ]
    (summary,) = summaries(Window("d1", start, seconds, False, readings), {"a": unit})
    return CountedSummary(summary, len(values))


def series(*values: float) -> list[CountedSummary]:
    """One reading a minute from START on."""
    return [counted(minute, [value], minute) for minute, value in enumerate(values)]


def sent_of(windows: list[CountedSummary], hold_seconds: int = 3600, deadbands: Deadbands | None = None) -> list[Summary]:
    deadbands = deadbands or Deadbands(Section)
    return [sent.summary for window in windows for sent in deadbands.add(window, DEADBAND, hold_seconds)]


def spans(sent: list[Summary]) -> list[tuple[int, int]]:
    """Minute of the start, and minutes of each."""
    return [((one.window_start - START) // MINUTE, one.window_seconds // 60) for one in sent]


_STEP = st.tuples(
    st.sampled_from([0, 0, 0, 0, 0, 1, 30]),  # minutes left out before the window
    st.lists(st.sampled_from([0.3, 0.31, 0.29, 0.35, 0.39, 0.45, -5.0]), min_size=1, max_size=4),
    st.sampled_from(["goes on", "goes on", "goes on", "goes on", "begins anew"]),
    st.sampled_from(["", "", "cut", "death"]),
)


_BYTES = st.sampled_from([0, 300, 1 << 20])


def played(
    steps: list[Any], hold_seconds: int, deadband: float, max_bytes: int = 1 << 20
) -> tuple[list[CountedSummary], list[CountedSummary]]:
    """What came and what was sent. A death loses what was not cut, and the journal gives the windows since then again."""
    came: list[CountedSummary] = []
    memory = Memory()
    sent: list[CountedSummary] = []
    deadbands, waiting, uncut, minute, seq = Deadbands(memory.section, max_bytes), [], [], 0, 0
    for gap, values, numbers, what in steps:
        minute, seq = minute + gap, (seq if numbers == "goes on" else 0)
        window = counted(minute, values, seq)
        minute, seq = minute + 1, seq + len(values)
        came.append(window)
        uncut.append(window)
        waiting += closed(deadbands, window, deadband, hold_seconds)
        if what == "cut":
            sent += waiting
            memory.commit(deadbands.sections)
            waiting, uncut = [], []
        if what == "death":
            deadbands, waiting = Deadbands(memory.section, max_bytes), []
            for again in uncut:
                waiting += closed(deadbands, again, deadband, hold_seconds)
    return came, sent + waiting + list(deadbands.release_all())


def closed(deadbands: Deadbands, window: CountedSummary, deadband: float, hold_seconds: int) -> Iterator[CountedSummary]:
    yield from deadbands.add(window, deadband, hold_seconds)
    yield from deadbands.release_expired(over(micros(window.summary.window_start) + 60_000_000))


@given(st.lists(_STEP, min_size=1, max_size=40), st.sampled_from([60, 300, 3600]), st.sampled_from([0.05, 0.1, 1.0]), _BYTES)
def test_what_was_sent_adds_up_to_what_came_exactly_once(steps: list[Any], hold_seconds: int, deadband: float, max_bytes: int) -> None:
    came, sent = played(steps, hold_seconds, deadband, max_bytes)
    assert sum(one.readings for one in sent) == sum(one.readings for one in came)
    assert total([one.summary for one in sent]) == total([one.summary for one in came])
    covered = [minute for one in sent for minute in range(*span(one.summary))]
    assert sorted(covered) == [span(one.summary)[0] for one in came]


def test_once_its_bytes_are_full_all_windows_are_sent_at_once_and_no_channel_is_added() -> None:
    deadbands = Deadbands(Section, max_bytes=1)
    assert len(sent_of(series(0.3, 0.3, 0.3), deadbands=deadbands)) == 3
    known = deadbands.sections[0].bytes
    other = [CountedSummary(replace(window.summary, channel="b"), window.readings) for window in series(0.3, 0.3, 0.3)]
    assert len(sent_of(other, deadbands=deadbands)) == 3
    assert deadbands.sections[0].bytes == known


@given(st.lists(_STEP, min_size=1, max_size=40), st.sampled_from([60, 300, 3600]), st.sampled_from([0.05, 0.1, 1.0]))
def test_no_run_holds_a_value_outside_the_band_or_an_hour_or_the_limit(steps: list[Any], hold_seconds: int, deadband: float) -> None:
    _, sent = played(steps, hold_seconds, deadband)
    reference = inf
    for one in sorted((one.summary for one in sent), key=lambda one: one.window_start):
        begin, end = span(one)
        if end - begin > 1:
            assert reference - deadband <= one.min <= one.max <= reference + deadband
            assert one.window_seconds <= hold_seconds
        assert begin // 60 == (end - 1) // 60
        reference = one.sum / one.count


def span(summary: Summary) -> tuple[int, int]:
    first = (summary.window_start - START) // MINUTE
    return first, first + summary.window_seconds // 60


def total(sent: list[Summary]) -> Any:
    """What all of them say together."""
    count, mean = sum(one.count for one in sent), fsum(one.sum for one in sent) / sum(one.count for one in sent)
    newest = max(sent, key=lambda one: one.last_time)
    numbers = IntervalSet()
    for one in sent:
        numbers.update(IntervalSet(one.seq_ranges))
    return (
        count,
        pytest.approx(fsum(one.sum for one in sent), rel=1e-12, abs=1e-12),
        pytest.approx(fsum(one.m2 + one.count * (one.sum / one.count - mean) ** 2 for one in sent), rel=1e-9, abs=1e-12),
        (min(one.min for one in sent), max(one.max for one in sent), newest.last, newest.last_time),
        numbers.flat(),
        sketch.merged(one.sketch for one in sent),
    )


def test_an_unchanged_channel_costs_one_summary_an_hour_after_its_first() -> None:
    sent = sent_of(series(*[0.3] * 180))
    assert spans(sent) == [(0, 1), (1, 59), (60, 60), (120, 60)]
    assert (sent[2].count, sent[2].last_time, sent[2].seq_ranges) == (60, START + 119 * MINUTE, (60, 119))


def test_a_change_is_sent_at_once_after_the_run_that_was_pending() -> None:
    deadbands = Deadbands(Section)
    assert spans(sent_of(series(0.3, 0.31, 0.29), deadbands=deadbands)) == [(0, 1)]
    assert spans(sent_of([counted(3, [0.3, 0.41], 3)], deadbands=deadbands)) == [(1, 2), (3, 1)]


def test_a_slow_drift_is_sent_once_it_has_left_the_band() -> None:
    sent = sent_of(series(*(minute / 100 for minute in range(25))))
    assert spans(sent) == [(0, 1), (1, 10), (11, 1), (12, 10), (22, 1)]


def test_the_reference_is_the_mean_of_what_was_sent_last() -> None:
    sent = sent_of(series(0.3, 0.36, 0.38, 0.37, 0.45, 0.46, 0.47), hold_seconds=180)
    assert spans(sent) == [(0, 1), (1, 3), (4, 3)]


def test_the_limit_ends_a_run() -> None:
    assert spans(sent_of(series(*[0.3] * 13), hold_seconds=300)) == [(0, 1), (1, 5), (6, 5)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"minute": 4}, id="not contiguous"),
        pytest.param({"seq": 1}, id="numbers begin anew"),
        pytest.param({"quality": "estimated"}, id="another time quality"),
        pytest.param({"unit": "cm"}, id="another unit"),
    ],
)
def test_what_cannot_be_one_summary_ends_a_run_and_begins_the_next(change: dict[str, Any]) -> None:
    deadbands = Deadbands(Section)
    sent_of(series(0.3, 0.3, 0.3), deadbands=deadbands)
    assert spans(sent_of([counted(**{"minute": 3, "values": [0.3], "seq": 3, **change})], deadbands=deadbands)) == [(1, 2)]
    assert spans([one.summary for one in deadbands.release_all()]) == [(change.get("minute", 3), 1)]


def test_another_deadband_ends_a_run() -> None:
    deadbands = Deadbands(Section)
    sent_of(series(0.3, 0.3, 0.3), deadbands=deadbands)
    assert spans([one.summary for one in deadbands.add(counted(3, [0.3], 3), DEADBAND / 2, 3600)]) == [(1, 2)]


def test_a_window_in_two_hours_is_not_pending() -> None:
    crossing = [counted(minute, [0.3], minute, seconds=420) for minute in range(0, 70, 7)]
    assert spans(sent_of(crossing)) == [(0, 7), (7, 49), (56, 7)]


def test_a_run_that_nothing_can_follow_is_sent() -> None:
    deadbands = Deadbands(Section)
    sent_of(series(0.3, 0.3, 0.3), deadbands=deadbands)
    assert list(deadbands.release_expired(over(micros(START + 4 * MINUTE) - 1))) == []
    assert spans([one.summary for one in deadbands.release_expired(over(micros(START + 4 * MINUTE)))]) == [(1, 2)]
    assert list(deadbands.release_expired(over(micros(START + 5 * MINUTE)))) == []


def test_a_run_comes_back_from_the_store_as_it_was() -> None:
    memory = Memory()
    deadbands = Deadbands(memory.section)
    sent_of(series(0.3, 0.31, 0.29), deadbands=deadbands)
    memory.commit(deadbands.sections)
    again = Deadbands(memory.section)
    assert list(again.release_all()) == list(deadbands.release_all())


def test_a_run_of_an_older_gateway_lacks_the_columns_that_it_did_not_know() -> None:
    pending = PendingSummary(0.3, DEADBAND, 60, counted(0, [0.3]))
    reference, deadband, step, (summary, readings) = msgspec.msgpack.decode(pending.pack())
    summary.pop("sketch")
    older = msgspec.msgpack.encode((reference, deadband, step, ({**summary, "unknown": 1}, readings)))
    assert pending.run
    assert PendingSummary.unpack(older) == replace(pending, run=CountedSummary(replace(pending.run.summary, sketch=()), 1))


def test_a_run_that_began_without_a_sketch_stays_without() -> None:
    begun = PendingSummary(0.3, DEADBAND, 60, CountedSummary(replace(counted(0, [0.3]).summary, sketch=()), 1))
    (run,) = _runs(begun.extended(counted(1, [0.31], 1)))
    assert (run.count, run.sketch) == (2, ())


def _runs(pending: PendingSummary) -> list[Summary]:
    return [one.summary for one in Deadbands(Memory({"held/d1/a": pending.pack()}).section).release_all()]


def inference(minute: int, score: float, label: str = "fine", sha256: str = "00") -> Inference:
    start = from_micros(micros(START) + minute * 60_000_000)
    return Inference(
        device_id="d1",
        window_start=start,
        window_seconds=60,
        model="soil",
        model_version="1",
        model_sha256=sha256,
        runtime="tflite",
        label=label,
        score=score,
        uncertainty=0.5,
        features=(0.3,),
        time_quality="synced",
    )


def test_an_inference_is_news_when_it_says_something_new_or_after_a_while() -> None:
    memory = Memory()
    deadbands = Deadbands(memory.section)
    inferences = [
        inference(0, 5.0),
        inference(1, 5.4),
        inference(2, 4.5),
        inference(3, 5.51),
        inference(4, 5.51, "soon"),
        inference(5, 5.6, "soon"),
    ]
    assert [deadbands.is_news(one, 0.5, 3600) for one in inferences] == [True, False, False, True, True, False]
    memory.commit(deadbands.sections)
    again = Deadbands(memory.section)
    later = [inference(63, 5.6, "soon"), inference(64, 5.6, "soon"), inference(65, 5.6, "soon", sha256="01")]
    assert [again.is_news(one, 0.5, 3600) for one in later] == [False, True, True]


def test_without_a_deadband_every_inference_is_news_and_nothing_is_remembered() -> None:
    deadbands = Deadbands(Section)
    assert all(deadbands.is_news(inference(minute, 5.0), 0.0, 3600) for minute in range(3))
    assert not deadbands.changed
