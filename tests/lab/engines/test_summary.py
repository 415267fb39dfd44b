"""What a run of the engines says at its end: whatever is lost, repeated, different or wrong is named, and nothing else is a fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.engines.backlog import Backlog
from lab.engines.day import EngineDay
from lab.engines.kills import Kills
from lab.engines.shards import Shards
from lab.engines.summary import Summary

DAY = EngineDay(engine="PrismRunner", mode="streaming", rows=350, seconds=9.0, lost=0, repeated=0, differences=0)
KILLS = Kills(
    count=50,
    of_engine=9,
    messages=9000,
    lost=0,
    repeated=0,
    copies=12,
    left=0,
    wrong_hours=0,
    orphans=0,
    seconds=9.0,
    messages_per_second=9.0,
)
BACKLOG = Backlog(messages=9, seconds=1.0, read_per_second=9.0, written_per_second=9.0, pipeline_mb=9, engine_mb=9)
SHARDS = Shards(processes=3, messages=9, lost=0, repeated=0, left=0, wrong_hours=0, seconds=9.0)


def test_a_sound_run_has_no_faults_and_a_sentence_for_each_part() -> None:
    summary = Summary(engines=[DAY], kills=KILLS, backlog=BACKLOG, shards=SHARDS)
    assert summary.faults() == []
    assert len(list(summary.sentences())) == 4


@pytest.mark.parametrize(
    ("summary", "faults"),
    [
        (Summary(engines=[DAY, replace(DAY, mode="batch", differences=2)]), ["PrismRunner, batch: 2 differences"]),
        (Summary(engines=[replace(DAY, lost=1, repeated=3)]), ["PrismRunner, streaming: 1 lost", "PrismRunner, streaming: 3 repeated"]),
        (Summary(kills=replace(KILLS, lost=7, wrong_hours=1)), ["kills: 7 lost", "kills: 1 wrong hours"]),
        (Summary(kills=replace(KILLS, repeated=1, left=2, orphans=3)), ["kills: 1 repeated", "kills: 2 left", "kills: 3 orphans"]),
        (Summary(shards=replace(SHARDS, lost=1)), ["shards: 1 lost"]),
    ],
)
def test_whatever_is_not_as_it_should_be_is_named(summary: Summary, faults: list[str]) -> None:
    assert summary.faults() == faults


def test_batches_that_are_written_twice_are_no_fault_for_views_show_them_once() -> None:
    assert Summary(kills=replace(KILLS, copies=99)).faults() == []
