"""From what is published to what judges windows, by real children; and a gateway that starts runs what is whole."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest
from click.testing import CliRunner

from edge.config import load
from edge.models.bundle import BundleError
from edge.models.bundles import bundles_of
from edge.models.running import close_all
from edge.releases import child
from edge.releases.choice import Offer, State
from edge.releases.command import models
from edge.releases.findings import of_releases
from edge.releases.request import Request
from edge.releases.updates import Candidate, ModelUpdates
from releases import rollouts
from tests.edge.models.test_process_scorer import SOIL
from tests.edge.releases.farm import Farm
from tests.edge.releases.swapping import write_bundle
from tests.edge.releases.test_child import files
from tests.releases.publisher import Publisher
from tests.waiting import eventually


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(Publisher(tmp_path), tmp_path)
    yield farm
    close_all(farm.slots)


def test_a_release_is_fetched_and_runs_and_a_roll_back_brings_the_configurations_bundle(farm: Farm) -> None:
    farm.start()
    first = farm.version
    farm.publish(version="8")
    farm.look()
    assert (farm.version, farm.folder.state.running) == ("8", 1)
    farm.folder.write_offer(Offer(release=None))
    farm.updates.look()
    farm.swaps.turn(2_000_000, farm.monotonic)
    assert (farm.version, farm.folder.state.running) == (first, None)


def test_a_restart_runs_what_ran_and_has_the_one_before_standing_by(farm: Farm) -> None:
    farm.start()
    farm.publish(version="8")
    farm.look()
    farm.start()
    slot = farm.slots["soil"]
    assert (farm.version, slot.standby and slot.standby.bundle.release, slot.from_us) == ("8", None, 60_000_000)
    assert slot.standby


def test_a_source_that_does_not_answer_changes_nothing(farm: Farm) -> None:
    farm.publish(version="8")
    farm.start()
    farm.look()
    farm.publisher.site.rename(farm.publisher.folder / "away")
    farm.look()
    assert farm.version == "8"
    (farm.publisher.folder / "away").rename(farm.publisher.site)
    farm.publish(version="9")
    farm.monotonic += 4000
    farm.look()
    assert farm.version == "9"


def test_a_shadow_is_fetched_and_scores_though_the_release_is_damaged(farm: Farm) -> None:
    farm.publish(version="8")
    farm.start()
    farm.look()
    shadow = farm.publisher.release(files=files(version="9"))
    damaged = farm.publisher.release(files=files(version="10"))
    rollout = rollouts.new_rollout(farm.publisher.repository, *damaged, 100.0, shadow=shadow.number)
    rollouts.begin(farm.publisher.repository, rollout, farm.publisher.now)
    farm.publisher.publish()
    [model] = (farm.publisher.site / "targets" / "releases" / "soil" / "3").glob("*model.tflite")
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    farm.monotonic += 4000
    farm.look()
    in_shadow = farm.slots["soil"].shadow
    assert (farm.version, in_shadow and in_shadow.bundle.version) == ("8", "9")
    assert list(farm.folder.waiting()) == [3]


def test_a_refused_release_is_not_tried_again(farm: Farm) -> None:
    farm.publish(version="8")
    farm.start()
    farm.look()
    farm.folder.refuse(1, "it crashed")
    farm.start()
    farm.look()
    farm.look()
    assert farm.slots["soil"].in_force.bundle.release is None


@pytest.mark.parametrize("damage", ["half", "bit", "gone", "manifest"])
def test_a_release_that_is_damaged_on_disk_gives_way_to_the_one_before(farm: Farm, damage: str) -> None:
    for number in (1, 2):
        write_bundle(farm.folder.staging(number), number)
        farm.folder.commit(number)
    farm.folder.write_state(State(running=2, previous=1))
    model, manifest = (farm.folder.bundle(2) / name for name in ("model.tflite", "manifest.json"))
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    {
        "half": lambda: model.write_bytes(content[: len(content) // 2]),
        "bit": lambda: model.write_bytes(content),
        "gone": model.unlink,
        "manifest": lambda: manifest.write_text("{"),
    }[damage]()
    farm.start()
    assert (farm.version, list(farm.folder.refused())) == ("1", [2])


@pytest.mark.parametrize("content", [b"", b"{", b'{"running": "x"}', b"\0" * 40])
def test_a_state_that_rotted_counts_as_none(farm: Farm, content: bytes) -> None:
    farm.folder.write_state(State(running=2, previous=1))
    (farm.config.gateway.state_dir / "releases" / "soil" / "state.json").write_bytes(content)
    farm.start()
    assert farm.slots["soil"].in_force.bundle.release is None


def test_a_gateway_that_trusts_nobody_any_more_runs_its_own_bundle(farm: Farm) -> None:
    write_bundle(farm.folder.staging(1), 1)
    farm.folder.commit(1)
    farm.folder.write_state(State(running=1))
    text = farm.file.read_text()
    farm.file.write_text(text[: text.index("[releases]")])
    farm.config = load(farm.file)
    farm.start()
    assert farm.slots["soil"].in_force.bundle.release is None


def test_a_stick_brings_a_release_and_the_list_shows_it(farm: Farm, tmp_path: Path) -> None:
    farm.publisher.now = datetime.now(UTC)
    farm.publish(version="8")
    stick = tmp_path / "stick"
    farm.publisher.site.rename(stick)
    config = ("--config", str(farm.file))
    said = CliRunner().invoke(models, ["import", str(stick), *config])
    assert (said.exit_code, said.output.split(";")[0]) == (0, "soil: release 1 is here")
    listed = json.loads(CliRunner().invoke(models, [*config, "--json"]).stdout)
    assert [(row["state"], row["release"], row["version"]) for row in listed] == [
        ("running", None, bundles_of(farm.config)["soil"].version),
        ("staged", 1, "8"),
    ]
    farm.start()
    farm.monotonic = -1000.0
    farm.look()
    assert farm.version == "8"
    farm.folder.refuse(4, "it was no good")
    lines = CliRunner().invoke(models, config).stdout.splitlines()
    assert lines[0] == "soil: running   release 1, version 8"
    assert lines[-1] == "soil: refused   release 4: it was no good"


def test_a_stick_that_nobody_signed_is_refused(farm: Farm, tmp_path: Path) -> None:
    other = Publisher(tmp_path / "other", datetime.now(UTC))
    other.roll_out(other.release(files=files(version="66")), 100.0)
    other.publish()
    said = CliRunner().invoke(models, ["import", str(other.site), "--config", str(farm.file)])
    assert said.exit_code == 1
    assert "not trusted" in said.output
    assert farm.folder.numbers() == []


def test_the_doctor_says_whether_releases_can_be_had(farm: Farm) -> None:
    def answer(request: Request) -> str:
        return msgspec.json.encode(child.refresh(request, farm.publisher.now)).decode()

    farm.publish(version="8")
    before = sorted(farm.config.gateway.state_dir.rglob("*"))
    (found,) = of_releases(farm.config, farm.publisher.now, answer)
    assert (found.status, "speaks of soil" in found.text) == ("ok", True)
    assert sorted(farm.config.gateway.state_dir.rglob("*")) == before
    later = farm.publisher.later(days=6.5)
    (found,) = of_releases(farm.config, later, answer)
    assert (found.status, found.advice) == ("warn", "publish again: `tinybeam release publish`")
    farm.folder.refuse(1, "it crashed")
    _, refused = of_releases(farm.config, later, answer)
    assert refused.text == "release 1 of soil is not run: it crashed"


def test_a_shadow_that_a_rollout_names_is_fetched_and_scores(farm: Farm) -> None:
    farm.publish(version="8")
    farm.publish(version="9", share=0)
    farm.start()
    farm.folder.write_offer(Offer(release=None, shadow=1))
    write_bundle(farm.folder.staging(1), 1)
    farm.folder.commit(1)
    farm.updates.look()
    farm.swaps.turn(1_000_000, 1.0)
    shadow = farm.slots["soil"].shadow
    assert shadow
    assert shadow.bundle.release == 1


def test_the_thread_has_a_child_fetch_and_hands_over_what_is_ready(farm: Farm) -> None:
    farm.publisher.now = datetime.now(UTC)
    farm.publish(version="8")
    at = itertools.count(0.0, 100.0)
    updates = ModelUpdates(farm.config, [farm.place], {"soil": None}, print, Random(1), clock=lambda: next(at))
    updates.start()
    try:
        taken = list[Candidate]()
        assert eventually(lambda: bool(taken.extend(updates.take()) or taken))
        (candidate,) = taken
        assert candidate.model
        assert candidate.model.bundle.version == "8"
        candidate.model.close()
    finally:
        updates.stop()


def test_a_shadow_of_another_model_is_refused_with_the_configuration(farm: Farm) -> None:
    text = farm.file.read_text().replace("[releases]", f'shadow = "{SOIL.with_name("vibration")}"\n[releases]')
    farm.file.write_text(text)
    with pytest.raises(BundleError, match="in the shadow of 'soil'"):
        bundles_of(load(farm.file))
