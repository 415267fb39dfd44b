"""Attacks on releases: none introduces a model or takes a gateway back in time; each is refused as what it is (M1 to M3)."""

from __future__ import annotations

import shutil

import pytest

from releases import roles
from releases.error import ReleaseError
from tests.attack import Attack
from tests.releases.attempts.attempt import Attempt
from tests.releases.attempts.forged import FORGED
from tests.releases.attempts.old import BEFORE, OLD
from tests.releases.attempts.spoiled import SPOILED
from tests.releases.publisher import FILES, NOW, Publisher
from tests.releases.workshop import Runs, Workshop, runs, trusting

BETTER = FILES | {"model.tflite": b"a better model"}


def seen(publisher: Publisher, name: str) -> Runs | ReleaseError:
    return runs(publisher.client(name), publisher.now, publisher.folder / "staged")


@pytest.fixture
def truth(publisher: Publisher) -> Runs:
    """Two releases, one after the other, and a gateway that has run both. What was there between them is kept."""
    publisher.roll_out(publisher.release(), 100)
    publisher.publish()
    assert seen(publisher, "gateway") == {"soil": (1, FILES)}
    for name in ("site", "gateway", "releases"):
        shutil.copytree(publisher.folder / name, publisher.folder / BEFORE / name, symlinks=True)
    publisher.roll_out(publisher.release(files=BETTER), 100)
    publisher.publish()
    newest = {"soil": (2, BETTER)}
    assert seen(publisher, "gateway") == newest
    return newest


def attacked(publisher: Publisher, attempt: Attempt) -> list[Runs | ReleaseError]:
    """What the gateway would run then, and, unless it is offered what was true once, one that is new."""
    attempt.make(Workshop(publisher, publisher.folder / "workshop", attempt.stolen))
    publisher.later(days=attempt.days)
    return [seen(publisher, name) for name in (("gateway",) if attempt.old else ("gateway", "new"))]


@pytest.mark.parametrize("attempt", [*FORGED, *SPOILED, *OLD], ids=lambda attempt: attempt.name)
def test_a_gateway_takes_nothing_that_is_not_signed_and_nothing_old(
    publisher: Publisher, truth: Runs, attempt: Attempt, attack: Attack
) -> None:
    made = attacked(publisher, attempt)
    accepted = sum(not isinstance(one, ReleaseError) and one != truth for one in made)
    attack(
        f"release-{attempt.name}",
        attacker=attempt.attacker,
        attempt=attempt.what,
        outcome=f"the gateway keeps what it runs: {attempt.error.__doc__.partition(':')[0].partition(',')[0]}",
        attempts=len(made),
        accepted=accepted,
        control=control(publisher, truth, attempt),
    )
    assert {type(one) for one in made} == {attempt.error}


def control(publisher: Publisher, truth: Runs, attempt: Attempt) -> str:
    """What a client makes of the attempt that lacks what stops it. Fails where that would not be noticed either."""
    if attempt.days:
        assert runs(publisher.client(), NOW, publisher.folder / "staged") == truth
        return "what is held back is believed until it expires"
    if attempt.name.endswith("-endless"):
        largest = max(file.stat().st_size for file in publisher.site.rglob("*") if file.is_file())
        assert largest > 4 * roles.MAX_FILE_BYTES - 1
        return f"without a bound {largest >> 20} MiB are read"
    if attempt.name.endswith("-deep"):
        with pytest.raises(RecursionError):
            trusting(publisher.site)
        return "a reader without a bound ends with RecursionError"
    if "-to-a-" in attempt.name:
        (publisher.folder / "gateway" / "seen.json").unlink()
        assert seen(publisher, "gateway") == {"soil": (1, FILES)}
        return "without its own counters the gateway goes back to the release before"
    assert trusting(publisher.site) != truth
    return "a client that checks no signature, version, length, hash or time takes it"
