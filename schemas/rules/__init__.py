"""Lists the rules of alerts: `[[rules]]` of the registry file. Each watches one source; a source is a file here, and a line in `Rule`.

What is observed of a source is in pipeline/alerts/sources, in the file of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence

from program.settings import require
from schemas.rules.certificate import CertificateRule
from schemas.rules.deviation import DeviationRule
from schemas.rules.event import EventRule
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.probe import ProbeRule
from schemas.rules.rate import RateRule
from schemas.rules.rejects import RejectsRule
from schemas.rules.silence import SilenceRule
from schemas.rules.site_window import SiteWindowRule

Rule = EventRule | SiteWindowRule | IrrigationRule | ProbeRule | SilenceRule | DeviationRule | RateRule | RejectsRule | CertificateRule
"""Told apart by their setting `source`."""


def check_names(rules: Sequence[Rule]) -> None:
    """Raises ConfigError for a name that two rules have."""
    names = [rule.name for rule in rules]
    for number, name in enumerate(names, 1):
        require(name not in names[: number - 1], f"rules[{number}].name: {name!r} is the name of an earlier rule")
