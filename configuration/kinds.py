"""The kinds of configuration files. A kind is a line in KINDS: all that is said of files, here and in docs, follows from it.

A struct is imported when it is asked for, so that a registry can be checked where no gateway's libraries are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from program.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`sections` are those by which a file is recognised."""

    name: str
    members: str
    """The field of `Fleet` that holds the files of this kind."""
    title: str
    struct: str
    """`module:class`"""
    sections: frozenset[str]
    example: Path
    schema: Path
    """The JSON Schema for editors, beside the example or the struct. Both from the root of the repository."""

    def load(self) -> type[Settings]:
        module, _, name = self.struct.partition(":")
        struct: type[Settings] = getattr(import_module(module), name)
        return struct


KINDS = (
    Kind(
        name="gateway",
        members="gateways",
        title="gateway.toml: a gateway",
        struct="edge.config:Config",
        sections=frozenset(
            {
                "gateway",
                "mqtt",
                "renewal",
                "http",
                "windows",
                "batches",
                "store",
                "uplink",
                "signatures",
                "health",
                "page",
                "limits",
                "releases",
                "samples",
                "sensors",
                "models",
            }
        ),
        example=Path("edge/gateway.example.toml"),
        schema=Path("edge/gateway.schema.json"),
    ),
    Kind(
        name="registry",
        members="registries",
        title="registry.toml: sites, devices, gateways and the rules of alerts",
        struct="schemas.registry:RegistryFile",
        sections=frozenset({"sites", "devices", "gateways", "rules"}),
        example=Path("lab/world/registry.toml"),
        schema=Path("schemas/registry.schema.json"),
    ),
    Kind(
        name="notifier",
        members="notifiers",
        title="notify.toml: the notifier",
        struct="notify.config:Config",
        sections=frozenset({"notify", "receivers", "routes", "retry", "answers", "metrics"}),
        example=Path("notify/notify.example.toml"),
        schema=Path("notify/notify.schema.json"),
    ),
    Kind(
        name="dash",
        members="dashes",
        title="dash.toml: who may look at the live page",
        struct="dash.settings:Config",
        sections=frozenset({"sign_in", "viewers"}),
        example=Path("dash/dash.example.toml"),
        schema=Path("dash/dash.schema.json"),
    ),
)


def recognised(content: Mapping[str, Any]) -> Kind | None:
    """The kind that most of the file's sections belong to; None if none does."""
    best = max(KINDS, key=lambda kind: len(kind.sections & content.keys()))
    return best if best.sections & content.keys() else None
