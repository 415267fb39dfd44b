"""Some of a fleet's configuration files, each read and checked by itself. What is wrong with a file is a Finding, not an exception."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from configuration.kinds import KINDS, Kind, recognised
from program import settings
from program.settings import ConfigError

if TYPE_CHECKING:
    from dash.settings import Config as DashConfig
    from edge.config import Config as GatewayConfig
    from notify.config import Config as NotifierConfig
    from schemas.registry import RegistryFile

Struct = TypeVar("Struct")


class UsageError(Exception):
    """A file that cannot be read, or is none of ours; the text names it."""


class Finding(NamedTuple):
    """One thing that is wrong, as a sentence that begins with its setting."""

    file: Path
    sentence: str


@dataclass(frozen=True, slots=True)
class Member(Generic[Struct]):
    """A file that is sound by itself."""

    file: Path
    config: Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The files that are sound by themselves. The gateways are taken for all that there are."""

    gateways: tuple[Member[GatewayConfig], ...] = ()
    registries: tuple[Member[RegistryFile], ...] = ()
    notifiers: tuple[Member[NotifierConfig], ...] = ()
    dashes: tuple[Member[DashConfig], ...] = ()


def read(files: Iterable[Path]) -> tuple[Fleet, list[Finding]]:
    """The fleet, and what is wrong with the files that are not in it. Raises UsageError."""
    findings: list[Finding] = []
    members: defaultdict[str, list[Member[Any]]] = defaultdict(list)
    for file in files:
        kind, content = _recognised(file)
        try:
            members[kind.members].append(Member(file, settings.build(kind.load(), content, file.parent)))
        except ConfigError as error:
            findings.append(Finding(file, str(error)))
    return Fleet(**{name: tuple(found) for name, found in members.items()}), findings


def _recognised(file: Path) -> tuple[Kind, dict[str, Any]]:
    try:
        content = settings.read(file)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    kind = recognised(content)
    if kind is None:
        kinds = "; ".join(f"a {kind.name} has [{'], ['.join(sorted(kind.sections))}]" for kind in KINDS)
        raise UsageError(f"{file}: none of its sections tells what it is: {kinds}")
    return kind, content
