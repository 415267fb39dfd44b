"""Chooses which release of a model runs, and which scores in its shadow. Pure.

Guarantees that a release that is withdrawn does not go on because what should follow it is damaged, refused or too slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

Usable = Callable[[int], bool]
"""Says whether a release is there, and neither refused nor postponed."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Says what a gateway is to run. `release` None: the bundle that its configuration names."""

    release: int | None = None
    shadow: int | None = None
    instead: int | None = None
    """What runs where `release` does not, for when nothing that ran before may run."""
    withdrawn: tuple[int, ...] = ()
    """Releases that are not to run here, whatever ran before."""
    missing: str | None = None
    """Why `release` could not be had when the source was last asked."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Says what a gateway runs; None is the bundle that its configuration names."""

    running: int | None = None
    previous: int | None = None
    from_us: int = 0
    """Windows that begin from here on are of the one that runs."""
    on_trial: bool = False


def target(state: State, offer: Offer | None, usable: Usable) -> int | None:
    """Returns what is to run: what was last offered; else what runs, or ran before, unless it was withdrawn; else what others run."""
    if offer is None:
        return next(filter(usable, proved(state, offer)), None)
    if offer.release is None:
        return None
    instead = [offer.instead] if offer.instead is not None else []
    return next(filter(usable, [offer.release, *proved(state, offer), *instead]), None)


def proved(state: State, offer: Offer | None) -> Iterator[int]:
    """Yields what may run of what ran, before what the configuration names."""
    numbers = (state.running, state.previous) if state.running is not None else ()
    withdrawn = offer.withdrawn if offer else ()
    return (number for number in numbers if number is not None and number not in withdrawn)


def shadow_target(offer: Offer, running: int | None, usable: Usable) -> int | None:
    """Returns which release is to score beside the one that runs; none beside itself."""
    return offer.shadow if offer.shadow is not None and offer.shadow != running and usable(offer.shadow) else None
