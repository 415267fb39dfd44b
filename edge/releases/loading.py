"""Loads what a gateway runs of a model: a release of its folder or the bundle of its configuration, checked and ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import time

from edge.config import Config
from edge.models.bundle import Bundle, BundleError
from edge.models.bundles import bundle_of, check_fits, shadow_bundle
from edge.models.process_scorer import ProcessScorer
from edge.models.scorer import ScorerFailed
from edge.models.slot import LoadedModel, Slot
from edge.releases.choice import State, proved
from edge.releases.folder import Clock, ReleaseFolder
from edge.releases.request import directory_of
from program import logs
from program.settings import ConfigError

_log = logs.get(__name__)

NoteUnusable = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Is an entry of [[models]]: its name, the bundle that the configuration names, and the folder of its model's releases."""

    name: str
    configured: Bundle
    folder: ReleaseFolder


def places_of(config: Config, bundles: dict[str, Bundle], clock: Clock = time) -> list[Place]:
    return [Place(name, bundle, ReleaseFolder(directory_of(config), bundle.name, clock)) for name, bundle in bundles.items()]


def load(config: Config, place: Place, number: int) -> LoadedModel:
    """Loads a release and starts it; it has answered its golden cases. Raises BundleError, ScorerFailed, ConfigError, OSError."""
    bundle = replace(bundle_of(place.configured.name, place.folder.bundle(number)), release=number)
    check_fits(config, place.name, bundle)
    return _started(bundle)


def load_or_set_aside(config: Config, place: Place, number: int) -> LoadedModel | None:
    """Returns None for a release that cannot run, or not now."""
    try:
        return load(config, place, number)
    except (BundleError, ScorerFailed, ConfigError, OSError) as fault:
        set_aside(place.folder, number, fault)
        return None


def set_aside(folder: ReleaseFolder, number: int, fault: Exception, what: str = "") -> None:
    """Sets a release aside as far as the disk lets us: what is not noted is found out again."""
    try:
        folder.set_aside(number, fault, what)
    except OSError as error:
        _log.error("that release %d of %s is set aside cannot be noted: %s", number, folder.model, error)


def configured(place: Place, unusable: NoteUnusable) -> LoadedModel:
    """Loads what the configuration names. One that cannot run is tried again when it is asked."""
    scorer = ProcessScorer.of_usable(place.configured, unusable)
    return LoadedModel(place.configured, scorer, scorer.close)


def open_slot(config: Config, place: Place, unusable: NoteUnusable) -> Slot:
    """Loads what ran when the gateway last ran, or if that cannot run any more, what ran before it."""
    state = place.folder.state
    for number in proved(state, place.folder.offer) if config.releases.root else ():
        if place.folder.may_try(number) and (model := load_or_set_aside(config, place, number)):
            is_on_trial = state.on_trial and number == state.running
            standby = _before(config, place, state, unusable) if is_on_trial else None
            return Slot(model, standby, state.from_us if standby else 0, shadow=shadow_of(config, place))
    return Slot(configured(place, unusable), shadow=shadow_of(config, place))


def shadow_of(config: Config, place: Place) -> LoadedModel | None:
    """Loads what the configuration names for the shadow; one that cannot run costs nothing else."""
    settings = next(model for model in config.models if model.name == place.name)
    if settings.shadow is None:
        return None
    try:
        bundle = shadow_bundle(config, place.name, settings.shadow, place.configured)
        return _started(bundle)
    except (BundleError, ScorerFailed, ConfigError) as fault:
        _log.error("nothing runs in the shadow of %s: %s", place.name, fault)
        return None


def _started(bundle: Bundle) -> LoadedModel:
    scorer = ProcessScorer([bundle])
    return LoadedModel(bundle, scorer, scorer.close)


def _before(config: Config, place: Place, state: State, unusable: NoteUnusable) -> LoadedModel | None:
    if state.previous is None:
        return configured(place, unusable)
    return load_or_set_aside(config, place, state.previous)
