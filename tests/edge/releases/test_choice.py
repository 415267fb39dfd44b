"""What runs is never what was withdrawn, whatever else can be had."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.releases.choice import Offer, State, shadow_target, target

NUMBERS = st.integers(1, 6)
SOME = st.none() | NUMBERS
SETS = st.frozensets(NUMBERS)


@given(release=NUMBERS, instead=SOME, running=SOME, previous=SOME, withdrawn=SETS, usable=SETS)
def test_what_runs_is_usable_and_not_withdrawn(
    release: int, instead: int | None, running: int | None, previous: int | None, withdrawn: frozenset[int], usable: frozenset[int]
) -> None:
    offer = Offer(release=release, instead=instead, withdrawn=tuple(withdrawn - {release, instead}))
    found = target(State(running=running, previous=previous), offer, usable.__contains__)
    assert found is None or found in usable - set(offer.withdrawn)
    if release in usable:
        assert found == release
    elif instead in usable:
        assert found is not None


def test_what_ran_goes_on_before_what_others_run() -> None:
    state, usable = State(running=2, previous=1), {1, 2, 4}.__contains__
    assert target(state, Offer(release=5, instead=4), usable) == 2
    assert target(state, Offer(release=5, instead=4, withdrawn=(2,)), usable) == 1
    assert target(state, Offer(release=5, instead=4, withdrawn=(1, 2)), usable) == 4
    assert target(state, Offer(release=5, instead=3, withdrawn=(1, 2)), usable) is None
    assert target(state, Offer(), usable) is None
    assert target(state, None, usable) == 2


def test_nothing_scores_in_its_own_shadow() -> None:
    offer, usable = Offer(release=3, shadow=2), {2, 3}.__contains__
    assert shadow_target(offer, 3, usable) == 2
    assert shadow_target(offer, 2, usable) is None
    assert shadow_target(offer, 3, {3}.__contains__) is None
