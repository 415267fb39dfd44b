"""A model is swapped between two windows: none is lost, none is judged twice, and what fails is taken back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edge.models.running import Withheld, columns_of
from edge.models.scorer import ScorerFailed, ScorerLate
from edge.models.slot import Slot
from edge.releases.choice import Offer, State
from edge.releases.postponement import MAX_TRIES
from schemas.envelope import micros
from tests.edge.gateways import START, rows
from tests.edge.releases.field import SECOND, Field, Speaker, bundle, loaded


def test_windows_that_have_begun_are_judged_by_the_model_they_began_with(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(24)
    field.offer(loaded(bundle("two", 2)))
    field.speak(30)
    field.end()
    assert field.twice_or_never() == {}
    assert field.versions() == {0: "one", 10: "one", 20: "one", 30: "two", 40: "two", 50: "two"}
    assert field.folder.state == State(running=2, previous=None, from_us=micros(START + 30 * SECOND), on_trial=True)


def test_a_row_and_a_heartbeat_say_by_which_release_the_model_came(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(12)
    field.offer(loaded(bundle("two", 7)))
    field.speak(20)
    field.end()
    assert {(row["model_version"], row.get("model_release")) for row in rows(field.store, "inferences")} == {("one", None), ("two", 7)}
    *_, last = rows(field.store, "heartbeats")
    assert json.loads(last["model_releases"]) == {"soil": 7}


def test_a_heartbeat_names_models_as_inferences_do_and_refusals_as_the_view_reads_them() -> None:
    slots = {"field": Slot(loaded(bundle("one", 4)))}
    refused = {"soil": {3: 'its manifest names the model "other"', 5: "it crashed"}, "vibration": {}}
    columns = columns_of(slots, Withheld(refused, {"soil": {6: "it cannot be had"}}))
    assert json.loads(columns["models"]) == {"soil": slots["field"].in_force.bundle.sha256}
    assert columns["model_releases"] == '{"soil": 4}'
    named = re.findall(r'"[^"/]+/[0-9]+": ?"[^"]*"', columns["releases_refused"])
    assert columns["releases_waiting"] == '{"soil/6": "it cannot be had"}'
    assert named == ['"soil/3": "its manifest names the model \'other\'"', '"soil/5": "it crashed"']


def test_a_release_that_fails_on_trial_costs_no_window_and_is_refused(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(12)
    bad = Speaker()
    field.offer(loaded(bundle("two", 2), bad))
    field.speak(20)
    bad.fault = ScorerFailed("died (signal 11)")
    field.speak(30)
    field.end()
    assert field.twice_or_never() == {}
    assert field.versions() == {0: "one", 10: "one", 20: "two", 30: "one", 40: "one", 50: "one", 60: "one"}
    assert field.folder.state == State()
    assert "died (signal 11)" in field.folder.refused()[2]
    assert bad.is_closed
    assert field.updates.noted[-1] == ("soil", None, False)
    *_, last = rows(field.store, "heartbeats")
    assert "died (signal 11)" in json.loads(last["releases_refused"])["soil/2"]
    assert last.get("model_releases") is None


def test_a_release_that_is_late_on_trial_goes_back_and_may_come_again(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(12)
    late = Speaker()
    field.offer(loaded(bundle("two", 2), late))
    field.speak(10)
    late.fault = ScorerLate("did not answer within 5 s")
    field.speak(30)
    assert field.folder.refused() == {}
    assert "did not answer within 5 s; it is tried again" in field.folder.waiting()[2]
    field.offer(loaded(bundle("two", 2)))
    field.speak(30)
    field.turn(field.now.timestamp() + 4000)
    assert field.folder.waiting() == {}
    field.end()
    assert field.twice_or_never() == {}
    assert field.versions()[field.seq - field.seq % 10] == "two"
    told = [row.get("releases_waiting") for row in rows(field.store, "heartbeats")]
    assert any("soil/2" in (each or "") for each in told)
    assert told[-1] is None
    assert all(row.get("releases_refused") is None for row in rows(field.store, "heartbeats"))


def test_a_release_that_is_late_each_time_is_refused_in_the_end(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    for _ in range(MAX_TRIES):
        assert field.folder.refused() == {}
        late = Speaker()
        late.fault = ScorerLate("did not answer within 5 s")
        field.offer(loaded(bundle("two", 2), late))
        field.speak(40)
    assert f"did not answer within 5 s, {MAX_TRIES} times" in field.folder.refused()[2]
    assert field.folder.waiting() == {}


def test_one_that_was_late_and_is_wanted_no_more_waits_until_another_is_proved(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.folder.postpone(2, "was not ready in time")
    field.folder.write_offer(Offer(release=3))
    field.offer(loaded(bundle("three", 3)))
    field.speak(30)
    assert list(field.folder.waiting()) == [2]
    field.turn(field.now.timestamp() + 4000)
    assert field.folder.waiting() == {}


def test_a_proved_release_that_is_late_counts_as_one_try_until_another_is_ready(tmp_path: Path) -> None:
    late = Speaker()
    field = Field(tmp_path, loaded(bundle("two", 2), late))
    field.folder.write_state(State(running=2))
    late.fault = ScorerLate("did not answer within 5 s")
    field.speak(60)
    assert field.folder.postponed()[2].tries == 1


def test_a_gateway_does_not_fall_back_to_what_was_withdrawn(tmp_path: Path) -> None:
    field, bad = Field(tmp_path, loaded(bundle("one", 1))), Speaker()
    field.folder.write_state(State(running=1))
    field.folder.write_offer(Offer(release=2, withdrawn=(1,)))
    field.offer(loaded(bundle("two", 2), bad))
    field.speak(20)
    bad.fault = ScorerFailed("died (signal 11)")
    field.speak(20)
    assert field.folder.state == State()


def test_what_the_child_sets_aside_is_said_by_the_next_heartbeat(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(2)
    field.folder.refuse(3, "golden case 0 is not met")
    field.speak(15)
    *_, last = rows(field.store, "heartbeats")
    assert json.loads(last["releases_refused"]) == {"soil/3": "golden case 0 is not met"}


def test_without_the_model_before_a_failure_would_cost_windows(tmp_path: Path) -> None:
    """The negative control of the test above."""
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(12)
    bad = Speaker()
    field.offer(loaded(bundle("two", 2), bad))
    field.speak(10)
    field.slot.end_trial()
    bad.fault = ScorerFailed("died (signal 11)")
    field.speak(20)
    field.end()
    assert field.twice_or_never()


def test_a_proved_release_goes_back_after_failures_in_a_row_alone(tmp_path: Path) -> None:
    field, scorer = Field(tmp_path, loaded(bundle("one"))), Speaker()
    field.offer(loaded(bundle("two", 2), scorer))
    field.speak(30)
    field.turn(field.now.timestamp() + 4000)
    assert field.slot.standby is None
    assert field.folder.state == State(running=2)
    scorer.fault = ScorerFailed("died (signal 11)")
    field.speak(10)
    assert field.folder.refused() == {}
    scorer.fault = None
    field.speak(10)
    scorer.fault = ScorerFailed("died (signal 11)")
    field.speak(40)
    assert 2 in field.folder.refused()
    assert field.folder.state == State()
    field.offer(loaded(bundle("one")))
    field.speak(20)
    field.end()
    assert field.versions()[field.seq - field.seq % 10] == "one"


def test_a_trial_lasts_while_the_model_before_is_needed(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(12)
    field.offer(loaded(bundle("two", 2, hours=0.02, young_hours=0.01)))
    field.speak(3)
    field.turn(field.now.timestamp() + 5000)
    assert field.slot.standby is not None
    field.speak(60)
    field.end()
    # 36 s of history: the first windows are the former model's, and none is missing.
    assert field.twice_or_never() == {}
    versions = field.versions()
    assert (versions[20], versions[30], versions[40], versions[50]) == ("one", "one", "two", "two")


def test_a_recipe_that_changes_leaves_the_features_of_open_windows_right(tmp_path: Path) -> None:
    alone, swapped = Field(tmp_path / "alone", loaded(bundle("one"))), Field(tmp_path / "swapped", loaded(bundle("one")))
    for field in (alone, swapped):
        field.speak(15)
    swapped.offer(loaded(bundle("two", 2, hours=0.02)))
    for field in (alone, swapped):
        field.speak(30)
        field.end()
    of = [
        {row["window_start"]: row["features"] for row in rows(field.store, "inferences") if row["model_version"] == "one"}
        for field in (alone, swapped)
    ]
    assert {round((window - START) / SECOND) for window in of[1]} == {0, 10}
    assert of[1].items() <= of[0].items()


@pytest.mark.parametrize("second", range(20, 34, 3))
def test_a_death_after_a_swap_changes_nothing(tmp_path: Path, second: int) -> None:
    field = Field(tmp_path, loaded(bundle("one")))
    field.speak(18)
    field.offer(loaded(bundle("two", 2)))
    field.speak(second - 18)
    field.restart()
    field.speak(40 - second)
    field.end()
    assert field.twice_or_never() == {}
    assert field.versions() == {0: "one", 10: "one", 20: "two", 30: "two", 40: "two"}


def test_a_shadow_raises_nothing_and_is_told_apart(tmp_path: Path) -> None:
    field, shadow = Field(tmp_path, loaded(bundle("one"))), Speaker("now")
    field.offer(loaded(bundle("three", 3), shadow), shadow=True)
    field.speak(35)
    field.end()
    told = [(row["model_version"], row.get("shadow"), row.get("model_release")) for row in rows(field.store, "inferences")]
    assert told.count(("one", None, None)) == told.count(("three", True, 3)) == 8
    assert rows(field.store, "events") == []


def test_what_is_in_force_would_raise_an_event(tmp_path: Path) -> None:
    """The negative control of the test above."""
    field = Field(tmp_path, loaded(bundle("one"), Speaker("now")))
    field.speak(35)
    field.end()
    assert rows(field.store, "events")


def test_a_shadow_that_fails_ends_and_nobody_else_does(tmp_path: Path) -> None:
    field, shadow = Field(tmp_path, loaded(bundle("one"))), Speaker()
    field.offer(loaded(bundle("three", 3), shadow), shadow=True)
    field.speak(15)
    shadow.fault = ScorerFailed("answered a number that is not finite")
    field.speak(20)
    field.end()
    assert field.twice_or_never() == {}
    assert shadow.is_closed
    assert field.slot.shadow is None
    assert "in the shadow" in field.folder.refused()[3]


def test_a_shadow_that_was_late_and_scores_now_waits_no_more_and_is_forgiven_in_the_end(tmp_path: Path) -> None:
    field, late = Field(tmp_path, loaded(bundle("one"))), Speaker()
    field.offer(loaded(bundle("three", 3), late), shadow=True)
    field.speak(15)
    late.fault = ScorerLate("did not answer within 5 s")
    field.speak(20)
    assert "did not answer within 5 s; it is tried again" in field.folder.waiting()[3]
    field.clock.seconds += 4000
    field.offer(loaded(bundle("three", 3)), shadow=True)
    field.speak(30)
    assert (field.folder.waiting(), list(field.folder.postponed())) == ({}, [3])
    field.turn(field.now.timestamp() + 4000)
    assert field.folder.postponed() == {}
    field.end()
    told = [row.get("releases_waiting") for row in rows(field.store, "heartbeats")]
    assert (any("soil/3" in (each or "") for each in told), told[-1]) == (True, None)


def test_a_pipeline_that_knows_no_shadows_gets_none(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one")), batches={"seconds": 0, "for_pipeline": "0.2"})
    field.offer(loaded(bundle("three", 3)), shadow=True)
    field.speak(25)
    field.end()
    assert {row["model_version"] for row in rows(field.store, "inferences")} == {"one"}


def test_a_full_disk_swaps_nothing(tmp_path: Path) -> None:
    field, second = Field(tmp_path, loaded(bundle("one"))), Speaker()
    field.offer(loaded(bundle("two", 2), second))
    (tmp_path / "releases" / "soil" / ".state.json.part").mkdir()
    field.speak(25)
    field.end()
    assert set(field.versions().values()) == {"one"}
    assert second.is_closed
    assert field.updates.noted[-1] == ("soil", None, False)


def test_bundles_that_nobody_needs_are_deleted_when_a_trial_ends(tmp_path: Path) -> None:
    field = Field(tmp_path, loaded(bundle("one", 1)))
    for number in (1, 5):
        field.folder.bundle(number).mkdir(parents=True)
    field.folder.write_offer(Offer(release=2))
    field.offer(loaded(bundle("two", 2)))
    field.speak(30)
    field.turn(field.now.timestamp() + 4000)
    assert field.folder.numbers() == [1, 2]
