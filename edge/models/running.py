"""Says of all models that run what others need to know: the intake, the memory of features, and the heartbeat. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from edge.models.bundle import Bundle
from edge.models.scorer import Scorer
from edge.models.slot import LoadedModel, Slot
from edge.spectrum import Spectrum
from edge.units import Range


def slots_of(bundles: Mapping[str, Bundle], scorer: Scorer) -> dict[str, Slot]:
    """Puts each bundle in force, run by one scorer, by the name of its [[models]]."""
    return {name: Slot(LoadedModel(bundle, scorer)) for name, bundle in bundles.items()}


def needs(slots: Mapping[str, Slot]) -> tuple[Mapping[str, Sequence[Spectrum]], Mapping[str, Mapping[str, Range]]]:
    """Returns what models ask of frames, and what their channels can be, by the name of their [[models]]."""
    return {name: slot.spectra() for name, slot in slots.items()}, {name: slot.ranges() for name, slot in slots.items()}


class Withheld(NamedTuple):
    """Holds by model the numbers of releases that do not run here, with the reasons: for ever, or until they are tried again."""

    refused: Mapping[str, Mapping[int, str]] = MappingProxyType({})
    waiting: Mapping[str, Mapping[int, str]] = MappingProxyType({})


def columns_of(slots: Mapping[str, Slot], withheld: Withheld) -> dict[str, Any]:
    """Returns the columns of a heartbeat that say which models run and how fast, and which releases do not and why."""
    in_force = sorted((slot.in_force for slot in slots.values()), key=lambda model: model.bundle.name)
    releases = {model.bundle.name: model.bundle.release for model in in_force if model.bundle.release is not None}
    scoring = {slot.in_force.bundle.name: slot.scoring for slot in slots.values() if slot.scoring.windows}
    return {
        "runtime": next((runtime for model in in_force if (runtime := model.scorer.runtime)), ""),
        "models": json.dumps({model.bundle.name: model.bundle.sha256 for model in in_force}),
        "model_releases": json.dumps(releases) if releases else None,
        "releases_refused": _reasons(withheld.refused),
        "releases_waiting": _reasons(withheld.waiting),
        "scoring_ms": json.dumps({name: each.mean_ms for name, each in sorted(scoring.items())}) if scoring else None,
        "scoring_longest_ms": json.dumps({name: each.longest_ms for name, each in sorted(scoring.items())}) if scoring else None,
    }


def _reasons(withheld: Mapping[str, Mapping[int, str]]) -> str | None:
    """Returns MODEL/NUMBER -> reason as JSON; None without any."""
    why = {
        f"{model}/{number}": reasons[number].replace('"', "'") for model, reasons in sorted(withheld.items()) for number in sorted(reasons)
    }
    return json.dumps(why) if why else None


def begin_measuring(slots: Iterable[Slot]) -> None:
    """Lets the next heartbeat say how long models took since this one."""
    for slot in slots:
        slot.scoring.clear()


def close_all(slots: Mapping[str, Slot]) -> None:
    """Ends all models."""
    for slot in slots.values():
        for model in slot.loaded:
            model.close()
