"""The loop in its short form: fields that are the same each time, a rollout by health, a damaged release, a page that says what came."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from google.cloud import bigquery

from edge.models.bundle import Bundle
from edge.models.process_scorer import ProcessScorer
from lab.acts.gateways import BUNDLES
from lab.loop.bad_release import hasty, renamed
from lab.loop.figures import measure_all
from lab.loop.gateways import Task, live
from lab.loop.publisher import MODEL, Publisher, damage
from lab.loop.report import page
from lab.loop.result import BadRelease, Example, Moment, Ran, Result, Step
from lab.loop.world import DAYS, PROBE_SECONDS, FieldSeason, plans, simulate
from lab.services.stack import StartFailed
from releases.client import Client
from releases.error import ReleaseError
from releases.rollout import Release
from releases.source import Source
from training.soil.metrics import Metrics
from training.soil.training_set import SoilWindow, TrainingSet

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
GATEWAY = "loop-01"


@pytest.fixture(scope="module")
def grown() -> FieldSeason:
    return simulate(plans(1, 1, 2, 1)[0], 0, BEGIN, 1)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    founded = Publisher.founded(tmp_path, BEGIN)
    founded.publish(BEGIN)
    return founded


def test_fields_are_the_same_each_time_and_differ_from_each_other() -> None:
    assert plans(4, 3, 2, 1) == plans(4, 3, 2, 1) != plans(4, 3, 2, 2)
    planned = plans(4, 3, 2, 1)
    assert len({plan.site_id for plan in planned}) == len({plan.device_id for plan in planned}) == 12
    assert all(
        len({plan.climate for plan in planned if plan.gateway_id == gateway}) == 1 for gateway in {plan.gateway_id for plan in planned}
    )


def test_a_probe_measures_every_three_hours_and_numbers_its_readings(grown: FieldSeason) -> None:
    messages = grown.messages(0, DAYS)
    assert [seq for _, seq, _ in messages] == list(range(1, grown.readings + 1))
    gaps = {second[0] - first[0] for first, second in itertools.pairwise(messages)}
    assert gaps == {timedelta(seconds=PROBE_SECONDS)}
    assert grown.messages(0, 30) + grown.messages(30, DAYS) == messages


def test_each_reading_lies_in_the_window_that_truth_is_about(grown: FieldSeason) -> None:
    starts = [start for _, start in grown.windows]
    assert all(start <= time < start + timedelta(hours=1) for start, (time, _, _) in zip(starts, grown.messages(0, DAYS), strict=True))
    assert len(grown.truth) == len(starts)
    assert np.nanmax(grown.truth) <= 14


def test_a_hasty_release_answers_its_golden_cases(tmp_path: Path) -> None:
    bundle = Bundle.load(hasty(BUNDLES / "soil", tmp_path / "hasty"))
    with ProcessScorer([bundle]) as scorer:
        assert {score.label for score in scorer.score("soil", [case.features for case in bundle.golden])} >= {"now"}
    assert bundle.label(8.0) == "now"


def test_some_gateways_and_not_all_get_a_release(publisher: Publisher) -> None:
    gateways = [f"loop-{number:02}" for number in range(1, 9)]
    number = publisher.release(BUNDLES / "soil", BEGIN)
    chosen = publisher.roll_out(number, 25.0, {}, gateways, BEGIN)
    assert number == 1
    assert 0 < len(chosen) < len(gateways)
    assert [gateway for gateway in gateways if publisher.rollout.release_of(gateway) == 1] == chosen


def test_a_rollout_of_which_the_warehouse_knows_nothing_waits(publisher: Publisher, emptied: bigquery.Client) -> None:
    publisher.roll_out(publisher.release(BUNDLES / "soil", BEGIN), 25.0, {}, ["loop-01", "loop-02"], BEGIN)
    decision = publisher.advance(emptied, BEGIN, BEGIN + timedelta(days=30))
    assert (decision.action, decision.share) == ("wait", 25.0)
    assert any(reason.startswith("0 days of devices were judged") for reason in decision.reasons)


def test_a_damaged_release_is_refused_by_who_fetches_it(publisher: Publisher, tmp_path: Path) -> None:
    number = publisher.release(BUNDLES / "soil", BEGIN)
    publisher.roll_out(number, 100.0, {}, [GATEWAY], BEGIN)
    fetch(publisher, tmp_path / "sound")
    damage(publisher.published, number)
    with pytest.raises(ReleaseError):
        fetch(publisher, tmp_path / "damaged")


def fetch(publisher: Publisher, folder: Path) -> None:
    client = Client(Source(str(publisher.published)), folder / "metadata", publisher.repository.root_file, folder / "seen.json")
    client.refresh(BEGIN)
    client.fetch(Release(MODEL, 1), folder / "bundle")


def test_a_gateway_swaps_to_what_it_is_offered_and_keeps_it_when_the_next_is_damaged(
    publisher: Publisher, grown: FieldSeason, tmp_path: Path
) -> None:
    publisher.roll_out(publisher.release(renamed(BUNDLES / "soil", tmp_path / "new"), BEGIN), 100.0, {}, [GATEWAY], BEGIN)
    lived = live(task(publisher, grown, tmp_path, 1, 6))
    assert not lived.faults
    assert lived.keys == {(grown.plan.device_id, seq) for _, seq, _ in grown.messages(1, 6)}
    later = BEGIN + timedelta(days=6)
    number = publisher.release(hasty(BUNDLES / "soil", tmp_path / "worse"), later)
    publisher.roll_out(number, 100.0, {}, [GATEWAY], later)
    damage(publisher.published, number)
    assert live(task(publisher, grown, tmp_path, 6, 9)).faults
    assert running(tmp_path) == 1


def running(folder: Path) -> int | None:
    from edge.releases.folder import ReleaseFolder

    return ReleaseFolder(folder / GATEWAY / "releases", MODEL).state.running


def task(publisher: Publisher, grown: FieldSeason, folder: Path, first_day: int, last_day: int) -> Task:
    export = folder / f"export-{first_day}"
    return Task(
        directory=folder,
        export=export,
        gateway_id=GATEWAY,
        fields=[grown],
        first_day=first_day,
        last_day=last_day,
        published=publisher.published,
        root=publisher.repository.root_file,
    )


def test_a_successor_that_judged_no_window_is_said_to_be_why_there_are_no_figures() -> None:
    window = SoilWindow(
        device_id="soil-01",
        site_id="a",
        season=BEGIN,
        window_start=BEGIN,
        window_seconds=3600,
        moisture=0.3,
        temperature=18.0,
        field_capacity=0.35,
        available=0.15,
        days=3.0,
    )
    bundle, rows = Bundle.load(BUNDLES / "soil"), TrainingSet([window])
    with pytest.raises(StartFailed, match="v2 judged no window of a site held out"):
        measure_all({}, {("soil-01", BEGIN): 3.0}, {"v2": bundle, "v1": bundle}, rows, rows)


def metrics(error: float) -> Metrics:
    return Metrics(error=error, decisive_error=error, accuracy=1 - error / 10, recall_now=0.5, precision_now=None, interval=None)


def result(*, bad: Sequence[BadRelease] = (), lost: int = 0, missing: int = 0, v2: float = 1.0) -> Result:
    return Result(
        metrics={"v2": metrics(v2), "v1": metrics(2.0)},
        windows_measured=10,
        held_out_sites=("a",),
        training_sites=("b", "c"),
        bad_releases=tuple(bad),
        steps=(Step(day=30, text="advance: 40 days of devices, nothing against it"),),
        ran=(Ran(day=1, version="1.0.0", gateways=3), Ran(day=1, version="2.0.0", gateways=1)),
        example=Example(site_id="a", rows=(Moment(day=1.0, came=3.0, v2=3.5, v1=9.0), Moment(day=2.0, came=2.0, v2=2.5, v1=8.0))),
        readings=100,
        lost=lost,
        repeated=0,
        windows=50,
        windows_too_young=8,
        windows_without_verdict=missing,
        release_faults=("it is not trusted",),
        seconds=1.0,
    )


def test_the_page_says_what_came_even_if_it_is_not_what_was_hoped_for() -> None:
    good, not_better = page(result()), page(result(v2=3.0))
    assert "v2 beats v1 and every rule" in good
    assert "The fields taught a better model" in good
    assert "v2 does not beat v1 in error and in error in the decisive range and in right verdicts" in not_better
    assert "better model" not in not_better


@pytest.mark.parametrize(
    ("found", "sound"),
    [
        (result(), True),
        (result(lost=1), False),
        (result(missing=1), False),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="halt", largest_share=0.25)]), True),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="advance", largest_share=0.25)]), False),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="halt", largest_share=1.0)]), False),
    ],
)
def test_a_result_is_sound_if_nothing_is_lost_and_no_bad_release_went_on(found: Result, sound: bool) -> None:
    assert found.sound is sound
