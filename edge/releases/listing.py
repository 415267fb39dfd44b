"""Lists the releases of a gateway's models: what runs, what ran before, what stands in the shadow or waits, what is refused and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge.models.bundle import Bundle, BundleError
from edge.releases.choice import Offer
from edge.releases.loading import Place

RUNNING, PREVIOUS, SHADOW, STAGED, WAITING, REFUSED = "running", "previous", "shadow", "staged", "waiting", "refused"


@dataclass(frozen=True, slots=True)
class Listed:
    """Is a release of a model, or the bundle of the configuration, whose number is None; `why` is said of what is refused or waits."""

    model: str
    state: str
    release: int | None
    version: str | None
    why: str | None = None

    @property
    def sentence(self) -> str:
        what = "the configuration's bundle" if self.release is None else f"release {self.release}"
        version = f", version {self.version}" if self.version else ""
        return f"{self.model}: {self.state:8}  {what}{version}" + (f": {self.why}" if self.why else "")


def listed(place: Place) -> Iterator[Listed]:
    """Yields what is known of a model: what runs first."""
    state, offer, model = place.folder.state, place.folder.offer or Offer(), place.folder.model
    refused, waiting = place.folder.refused(), place.folder.waiting()
    yield Listed(model, RUNNING, state.running, _version(place, state.running))
    if state.running is not None:
        yield Listed(model, PREVIOUS, state.previous, _version(place, state.previous))
    for number in place.folder.numbers():
        if number not in (state.running, state.previous, *refused, *waiting):
            yield Listed(model, SHADOW if number == offer.shadow else STAGED, number, _version(place, number))
    for number, reason in waiting.items():
        yield Listed(model, WAITING, number, None, reason)
    for number, reason in refused.items():
        yield Listed(model, REFUSED, number, None, reason)


def _version(place: Place, number: int | None) -> str | None:
    if number is None:
        return place.configured.version
    try:
        return Bundle.load(place.folder.bundle(number)).version
    except BundleError:
        return None
