"""A release that was withdrawn while a gateway did not look ends there, whatever became of what followed it; and the gateway says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge.models.running import close_all
from releases import rollouts
from releases.rollout import Decision, Group
from tests.edge.releases.farm import Farm
from tests.edge.releases.test_child import unmet
from tests.releases.publisher import Publisher


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """A gateway that runs release 2, version 9, and ran release 1, version 8, before."""
    farm = Farm(Publisher(tmp_path), tmp_path)
    farm.start()
    for version in ("8", "9"):
        farm.publish(version=version)
        farm.look()
    assert (farm.version, farm.folder.state.running, farm.folder.numbers()) == ("9", 2, [1, 2])
    yield farm
    close_all(farm.slots)


def halt(farm: Farm) -> None:
    decision = Decision(time=farm.publisher.now, action="halt", share=0, reasons=("it is blind",))
    rollouts.decide(farm.publisher.repository, "soil", decision)
    farm.publisher.publish()


def damage(farm: Farm, *numbers: int) -> None:
    for number in numbers:
        for file in (farm.publisher.site / "targets" / "releases" / "soil" / str(number)).glob("*model.tflite"):
            file.write_bytes(file.read_bytes()[:-1] + b"!")


def look(farm: Farm) -> None:
    """Looks as often as it takes, whatever the source does."""
    for _ in range(3):
        farm.monotonic += 4000.0
        farm.look()


def test_a_halted_release_ends_though_the_next_one_is_damaged(farm: Farm) -> None:
    halt(farm)
    farm.publish(version="10")
    damage(farm, 3)
    look(farm)
    assert (farm.version, farm.folder.state.running) == ("8", 1)
    assert "not trusted" in farm.folder.waiting()[3]


def test_without_what_the_rollout_says_is_withdrawn_it_would_go_on(farm: Farm) -> None:
    """The negative control of the test above."""
    halt(farm)
    farm.publish(version="10")
    rollout = rollouts.existing(farm.publisher.repository, "soil")
    rollouts.begin(farm.publisher.repository, msgspec.structs.replace(rollout, withdrawn=()), farm.publisher.now)
    farm.publisher.publish()
    damage(farm, 3)
    look(farm)
    assert farm.version == "9"


def test_a_halted_release_ends_though_the_next_one_fails_here(farm: Farm) -> None:
    halt(farm)
    farm.publisher.roll_out(farm.publisher.release(files=unmet(version="10")), 100.0)
    farm.publisher.publish()
    look(farm)
    assert (farm.version, list(farm.folder.refused())) == ("8", [3])


def test_what_others_run_is_fetched_if_it_is_not_here_any_more(farm: Farm) -> None:
    shutil.rmtree(farm.folder.bundle(1))
    halt(farm)
    farm.publish(version="10")
    damage(farm, 3)
    look(farm)
    assert farm.version == "8"


def test_where_nothing_can_be_had_the_configurations_bundle_runs(farm: Farm) -> None:
    shutil.rmtree(farm.folder.bundle(1))
    halt(farm)
    farm.publish(version="10")
    damage(farm, 1, 3)
    look(farm)
    assert farm.slots["soil"].in_force.bundle.release is None


def test_a_gateway_that_is_excluded_does_not_go_on_with_what_it_ran(farm: Farm) -> None:
    shutil.rmtree(farm.folder.bundle(1))
    rollout = rollouts.existing(farm.publisher.repository, "soil")
    excluded = msgspec.structs.replace(rollout, excluded=Group(gateways=("gw-1",)))
    rollouts.begin(farm.publisher.repository, excluded, farm.publisher.now)
    farm.publisher.publish()
    damage(farm, 1)
    look(farm)
    assert farm.slots["soil"].in_force.bundle.release is None


def test_a_release_that_was_rolled_back_from_ends_though_the_next_one_is_damaged(farm: Farm) -> None:
    rollouts.roll_back(farm.publisher.repository, "soil", "it is blind", farm.publisher.now)
    farm.publish(version="10")
    damage(farm, 3)
    look(farm)
    assert farm.version == "8"


def test_a_release_that_nobody_withdrew_goes_on_while_the_next_one_is_damaged(farm: Farm) -> None:
    farm.publish(version="10")
    damage(farm, 3)
    look(farm)
    assert farm.version == "9"
    farm.start()
    look(farm)
    assert farm.version == "9"


def test_a_gateway_that_starts_anew_does_not_load_what_was_withdrawn(farm: Farm) -> None:
    halt(farm)
    farm.publish(version="10")
    damage(farm, 3)
    farm.monotonic += 4000.0
    farm.updates.look()
    farm.updates.stop()
    farm.start()
    assert farm.version == "8"


def test_a_halted_release_that_is_rolled_out_anew_is_not_withdrawn(farm: Farm) -> None:
    halt(farm)
    rollout = rollouts.new_rollout(farm.publisher.repository, "soil", 2, 100.0)
    assert (rollout.previous, rollout.withdrawn) == (1, ())
    rollouts.begin(farm.publisher.repository, rollout, farm.publisher.now)
    farm.publisher.publish()
    look(farm)
    assert farm.version == "9"
