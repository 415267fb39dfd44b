from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from lab import rerender
from lab.acts.faults import FaultInterval, PerformedAction
from lab.acts.run_record import FILE, Counts, RunRecord
from lab.services.stack import StartFailed
from lab.services.webhook_receiver import ReceivedAlert
from lab.witness.latency import Arrival
from lab.witness.oracle import DeliveredKeys, judge

T = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
COUNTS = Counts(attempted=3, acknowledged=3, delivered=3, lost=0, repeated=0, unexpected=0)


def _at(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


ALERT = ReceivedAlert(
    received=_at(31),
    event_time=_at(30),
    severity="critical",
    rule="bearing-fails",
    state="opened",
    subject="machine-pump",
    message="A bearing is failing",
)
RECORD = RunRecord(
    history=COUNTS,
    total=COUNTS,
    season_begin=T - timedelta(days=120),
    started=T,
    ended=_at(60),
    actions=(
        PerformedAction(_at(15), "gateway-north is stopped dead", "a gateway was stopped dead"),
        PerformedAction(_at(19), "it starts again", ""),
    ),
    fault_intervals=(FaultInterval(_at(15), _at(25)),),
    arrivals=(Arrival("a:1:1", _at(5), _at(8)), Arrival("a:1:2", _at(14), _at(18)), Arrival("a:1:3", _at(26), _at(30))),
    bytes_raw_mqtt=10,
    bytes_uplink=5,
    rows={"summaries": 7},
    parts={"broker": "mosquitto"},
    seconds=99.5,
    alerts=(ALERT,),
)


def test_a_saved_record_is_loaded_as_it_was(tmp_path: Path) -> None:
    RECORD.save(tmp_path)
    assert RunRecord.load(tmp_path) == RECORD


def test_batches_that_a_fault_affected_are_not_unaffected() -> None:
    assert [arrival.batch_id for arrival in RECORD.unaffected] == ["a:1:1", "a:1:3"]


def test_counts_are_those_of_the_verdict() -> None:
    sent = {("a", 1), ("a", 2)}
    verdict = judge(sent, sent, DeliveredKeys(frozenset({("a", 1), ("b", 9)}), 2))
    assert Counts.of(verdict) == Counts(attempted=2, acknowledged=2, delivered=2, lost=1, repeated=2, unexpected=1)


@pytest.mark.parametrize("wrong", ["lost", "repeated", "unexpected"])
def test_counts_are_sound_only_if_nothing_is_wrong(wrong: str) -> None:
    assert COUNTS.sound
    assert not replace(COUNTS, **{wrong: 1}).sound


def test_a_folder_without_a_demo_is_distinguished_from_that_of_another_version(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no finished demo"):
        rerender.rewrite(tmp_path)
    (tmp_path / FILE).write_bytes(msgspec.json.encode({"history": 1}))
    with pytest.raises(StartFailed, match="another version"):
        rerender.rewrite(tmp_path)


def test_the_folder_of_an_older_version_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "story.json").write_text("{}")
    with pytest.raises(StartFailed, match="older version"):
        rerender.rewrite(tmp_path)
