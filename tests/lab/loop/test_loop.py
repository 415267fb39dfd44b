"""The loop in its short form: fields that are the same each time, a rollout by health, a damaged release, a page that says what came."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from google.cloud import bigquery

from edge.models.bundle import Bundle
from edge.models.process_scorer import ProcessScorer
from lab.acts.gateways import BUNDLES
from lab.loop.bad_release import hasty, renamed
from lab.loop.decisions import decided, ended
from lab.loop.figures import measure_all
from lab.loop.gateways import Task, live
from lab.loop.growth import growing
from lab.loop.processes import pool
from lab.loop.publisher import MODEL, Publisher, damage
from lab.loop.report import page
from lab.loop.result import BadRelease, Decided, Example, Gate, Moment, Ran, Result, Step
from lab.loop.world import DAYS, PROBE_SECONDS, ProbeSeason, plans, simulate, write_registry
from lab.services.stack import StartFailed
from releases import rollouts
from releases.client import Client
from releases.error import ReleaseError
from releases.rollout import Decision, Release
from releases.source import Source
from schemas.registry import Registry
from training.build.succession import CURRENT, SUCCESSOR, as_json
from training.soil.metrics import Metrics
from training.soil.rivals import SoilSuccession
from training.soil.training_set import SoilWindow, TrainingSet

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
GATEWAY = "loop-01a"


@pytest.fixture(scope="module")
def grown() -> ProbeSeason:
    [plan] = plans(1, 1, 2, 1)
    return ProbeSeason(plan.probes[0], BEGIN, simulate(plan, 0), 1)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    founded = Publisher.founded(tmp_path, BEGIN)
    founded.publish(BEGIN)
    return founded


def test_fields_are_the_same_each_time_and_differ_from_each_other() -> None:
    assert plans(4, 3, 2, 1) == plans(4, 3, 2, 1) != plans(4, 3, 2, 2)
    planned = plans(4, 3, 2, 1)
    probes = [probe for plan in planned for probe in plan.probes]
    assert len({plan.site_id for plan in planned}) == 12
    assert len({probe.device_id for probe in probes}) == 24


def test_two_gateways_hear_each_field_and_every_field_of_a_farm_has_its_climate() -> None:
    planned = plans(4, 3, 2, 1)
    assert all(len({probe.gateway_id for probe in plan.probes}) == 2 for plan in planned)
    assert all(len({plan.climate for plan in planned if plan.farm == farm}) == 1 for farm in range(1, 5))


def test_each_season_of_a_field_is_its_own_in_the_registry(tmp_path: Path) -> None:
    begins = BEGIN, BEGIN + timedelta(days=360)
    sites = Registry.load(write_registry(tmp_path, plans(1, 1, 2, 1), begins)).sites
    assert [(site.planted, site.valid_from, site.valid_to) for site in sites] == [
        (begins[0], begins[0], begins[1]),
        (begins[1], begins[1], None),
    ]


def test_fields_grow_beside_the_rest_as_they_would_alone(grown: ProbeSeason) -> None:
    with pool() as processes, growing([grown.probe.plan], 2, processes) as fields:
        [season] = fields.seasons(0)
        [later] = fields.seasons(1)
    np.testing.assert_array_equal(season.moisture, grown.season.moisture)
    assert later.dates[0] != season.dates[0]


def test_a_probe_measures_every_six_hours_and_numbers_its_readings(grown: ProbeSeason) -> None:
    messages = grown.messages(0, DAYS)
    assert [seq for _, seq, _ in messages] == list(range(1, grown.readings + 1))
    gaps = {second[0] - first[0] for first, second in itertools.pairwise(messages)}
    assert gaps == {timedelta(seconds=PROBE_SECONDS)}
    assert grown.messages(0, 30) + grown.messages(30, DAYS) == messages


def test_each_reading_lies_in_the_window_that_truth_is_about(grown: ProbeSeason) -> None:
    starts = [start for _, start in grown.windows]
    assert all(start <= time < start + timedelta(hours=1) for start, (time, _, _) in zip(starts, grown.messages(0, DAYS), strict=True))
    assert len(grown.truth) == len(starts)
    assert np.nanmax(grown.truth) <= 14


def test_a_hasty_release_answers_its_golden_cases(tmp_path: Path) -> None:
    bundle = Bundle.load(hasty(BUNDLES / "soil", tmp_path / "hasty"))
    with ProcessScorer([bundle]) as scorer:
        assert {score.label for score in scorer.score("soil", [case.features for case in bundle.golden])} >= {"now"}
    assert bundle.label(8.0) == "now"


def test_a_quarter_of_the_gateways_gets_a_release(publisher: Publisher) -> None:
    gateways = [f"loop-{number:02}" for number in range(1, 9)]
    number = publisher.release(BUNDLES / "soil", BEGIN)
    chosen = publisher.roll_out(number, 25.0, {}, gateways, BEGIN)
    assert number == 1
    assert len(chosen) == 2
    assert [gateway for gateway in gateways if publisher.rollout.release_of(gateway) == 1] == chosen


def test_a_rollout_of_which_the_warehouse_knows_nothing_waits(publisher: Publisher, emptied: bigquery.Client) -> None:
    publisher.roll_out(publisher.release(BUNDLES / "soil", BEGIN), 25.0, {}, ["loop-01", "loop-02"], BEGIN)
    decision = publisher.advance(emptied, BEGIN, BEGIN + timedelta(days=30))
    assert (decision.action, decision.share) == ("wait", 25.0)
    assert any(reason.startswith("0 days of devices were judged") for reason in decision.reasons)
    [row] = decided(emptied, BEGIN)
    assert (row.day, row.release, row.control, row.action, row.reasons) == (30, 1, None, "wait", "; ".join(decision.reasons))
    assert ended([row], 1) == "wait"
    assert ended([row], 2) == ""


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
    publisher: Publisher, grown: ProbeSeason, tmp_path: Path
) -> None:
    publisher.roll_out(publisher.release(renamed(BUNDLES / "soil", tmp_path / "new"), BEGIN), 100.0, {}, [GATEWAY], BEGIN)
    lived = live(task(publisher, grown, tmp_path, 1, 6))
    assert not lived.faults
    assert lived.keys == {(grown.probe.device_id, seq) for _, seq, _ in grown.messages(1, 6)}
    later = BEGIN + timedelta(days=6)
    number = publisher.release(hasty(BUNDLES / "soil", tmp_path / "worse"), later)
    publisher.roll_out(number, 100.0, {}, [GATEWAY], later)
    damage(publisher.published, number)
    assert live(task(publisher, grown, tmp_path, 6, 9)).faults
    assert running(tmp_path) == 1


def test_a_gateway_goes_back_to_what_it_ran_once_a_release_is_halted(publisher: Publisher, grown: ProbeSeason, tmp_path: Path) -> None:
    publisher.roll_out(publisher.release(renamed(BUNDLES / "soil", tmp_path / "good"), BEGIN), 100.0, {}, [GATEWAY], BEGIN)
    live(task(publisher, grown, tmp_path, 1, 4))
    later = BEGIN + timedelta(days=4)
    publisher.roll_out(publisher.release(hasty(BUNDLES / "soil", tmp_path / "hasty"), later), 100.0, {}, [GATEWAY], later)
    live(task(publisher, grown, tmp_path, 4, 7))
    assert running(tmp_path) == 2
    halted = Decision(time=BEGIN + timedelta(days=7), action="halt", share=0, reasons=("it calls most fields dry",))
    rollouts.decide(publisher.repository, MODEL, halted)
    publisher.publish(halted.time)
    live(task(publisher, grown, tmp_path, 7, 9))
    assert running(tmp_path) == 1


def running(folder: Path) -> int | None:
    from edge.releases.folder import ReleaseFolder

    return ReleaseFolder(folder / GATEWAY / "releases", MODEL).state.running


def task(publisher: Publisher, grown: ProbeSeason, folder: Path, first_day: int, last_day: int) -> Task:
    export = folder / f"export-{first_day}"
    return Task(
        directory=folder,
        export=export,
        gateway_id=GATEWAY,
        probes=[grown],
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


def test_the_loop_reads_what_training_writes() -> None:
    succession = SoilSuccession({SUCCESSOR: metrics(2.0), CURRENT: metrics(1.0)}, 40, ("a", "b"))
    gate = msgspec.json.decode(as_json(succession), type=Gate)
    assert (gate.metrics, gate.examples, gate.sites) == (succession.metrics, 40, ("a", "b"))
    assert gate.refusals == succession.refusals
    assert gate.refusals


def metrics(error: float) -> Metrics:
    return Metrics(error=error, decisive_error=error, accuracy=1 - error / 10, recall_now=0.5, precision_now=None, interval=None)


DECIDED = Decided(
    day=30,
    release=1,
    control=0,
    action="advance",
    share=100.0,
    reasons="nothing against it",
    compared_on="same sites and days",
    device_days=40,
)


def result(
    *,
    bad: Sequence[BadRelease] = (),
    lost: int = 0,
    missing: int = 0,
    v2: float = 1.0,
    ended: str = "advance",
    refusals: tuple[str, ...] = (),
) -> Result:
    return Result(
        gate={"v2": metrics(v2), "v1": metrics(2.0)},
        gate_windows=20,
        refusals=refusals,
        successor_ended="" if refusals else ended,
        metrics={} if refusals else {"v2": metrics(v2), "v1": metrics(2.0)},
        windows_measured=10,
        sites=3,
        held_out_sites=("a",),
        bad_releases=tuple(bad),
        steps=(Step(day=30, text="advance: 40 days of devices, nothing against it"),),
        decisions=() if refusals else (DECIDED,),
        ran=() if refusals else (Ran(day=1, version="1.0.0", gateways=3), Ran(day=1, version="2.0.0", gateways=1)),
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
    assert "<td>went on</td>" in good
    assert "release of the configuration, same sites and days" in good


def test_the_page_of_a_refused_successor_says_why_and_shows_no_rollout() -> None:
    text = page(result(v2=3.0, refusals=("it does not beat the release that runs in error",)))
    assert "What the fields taught was not good enough" in text
    assert "<li>it does not beat the release that runs in error</li>" in text
    assert "Who ran what" not in text


@pytest.mark.parametrize(
    ("found", "sound"),
    [
        (result(), True),
        (result(lost=1), False),
        (result(missing=1), False),
        (result(ended="halt"), False),
        (result(ended="wait"), False),
        (result(refusals=("it does not beat the release that runs in error",)), False),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="halt", largest_share=0.25)]), True),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="advance", largest_share=0.25)]), False),
        (result(bad=[BadRelease(name="hasty", version="3.0.0", ended="halt", largest_share=1.0)]), False),
        (result(bad=[BadRelease(name="damaged", version="4.0.0", ended="never started", largest_share=0.0)]), True),
        (result(bad=[BadRelease(name="damaged", version="4.0.0", ended="not decided", largest_share=0.1)]), False),
    ],
)
def test_a_result_is_sound_if_v2_came_to_all_nothing_is_lost_and_no_bad_release_went_on(found: Result, sound: bool) -> None:
    assert found.sound is sound
