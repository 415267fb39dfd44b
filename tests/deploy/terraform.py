"""Reads deploy/terraform as modules: what each declares, calls and refers to.

Values are as python-hcl2 writes them: `"text"` or `${expression}`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

FOLDER = Path(__file__).parents[2] / "deploy" / "terraform"
FARM = "examples/farm"
TOFU = shutil.which("tofu") or shutil.which("tofu", path=str(Path.home() / "go" / "bin"))
"""OpenTofu, where it is."""
_REFERENCE = re.compile(r"(?<![\w.\"])((?:data\.)?(?:google|terraform)_\w+\.\w+|(?:var|local)\.\w+|module\.\w+(?:(?:\[[^\]]*\])?\.\w+)?)")
_ATTRIBUTE = re.compile(r"(?<![\w.\"])((?:data\.)?google_\w+\.\w+)(?:\[[^\]]*\])?\.(\w+)")


@dataclass(frozen=True)
class Module:
    """What the files of one folder declare. Resources are named `type.name`, data sources `data.type.name`."""

    name: str
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)
    settings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def references(self) -> set[str]:
        """`var.x`, `local.x`, `module.x.output`, `type.name` and `data.type.name`, wherever one stands."""
        return {found for code in self._code() for found in _REFERENCE.findall(code)}

    @property
    def attributes(self) -> set[tuple[str, str]]:
        """What is read of which resource."""
        return {found for code in self._code() for found in _ATTRIBUTE.findall(code)}

    def _code(self) -> Iterator[str]:
        for text in texts([self.resources, self.calls, self.variables, self.outputs, self.local]):
            yield from expressions(text)


def of_kind(module: Module, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its resources of one type, by name."""
    return ((address.rpartition(".")[2], body) for address, body in module.resources.items() if address.rpartition(".")[0] == kind)


@cache
def every_module() -> Mapping[str, Module]:
    """Every module of the repository, by its folder from deploy/terraform."""
    folders = sorted({path.parent for path in FOLDER.rglob("*.tf")})
    return {str(folder.relative_to(FOLDER)): read(folder) for folder in folders}


def read(folder: Path) -> Module:
    module = Module(str(folder.relative_to(FOLDER)) if folder.is_relative_to(FOLDER) else folder.name)
    for file in sorted(folder.glob("*.tf")):
        add(module, file.read_text())
    return module


def add(module: Module, text: str) -> None:
    parsed = hcl2.loads(text)
    for blocks, prefix in ((parsed.get("resource", []), ""), (parsed.get("data", []), "data.")):
        for kind, name, body in ((bare(k), bare(n), body) for block in blocks for k, named in block.items() for n, body in named.items()):
            module.resources[f"{prefix}{kind}.{name}"] = body
    for key, target in (("module", module.calls), ("variable", module.variables), ("output", module.outputs)):
        target.update((bare(name), body) for block in parsed.get(key, []) for name, body in block.items())
    for block in parsed.get("locals", []):
        module.local.update((name, value) for name, value in block.items() if not name.startswith("__"))
    module.settings.extend(parsed.get("terraform", []))


def bare(text: str) -> str:
    """A text without its quotation marks."""
    return text.removeprefix('"').removesuffix('"')


def inner(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments and blocks of a block, those of dynamic ones too, without what Terraform itself means."""
    for name, value in body.items():
        if name == "dynamic":
            for block in value:
                for kind, dynamic in block.items():
                    yield bare(kind), dynamic["content"]
        elif not name.startswith("__"):
            yield name, value


def texts(value: Any) -> Iterator[str]:
    """Every text in a parsed value; names that are expressions are texts, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name.startswith("${"):
                yield name
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def expressions(text: str) -> Iterator[str]:
    """The code of a value without the texts in it, but with what is interpolated in those."""
    if text.startswith('"'):
        yield from _interpolated(text)
        return
    code, at = [], 0
    for start, end in _quoted(text):
        code.append(text[at:start])
        yield from _interpolated(text[start:end])
        at = end
    yield '""'.join([*code, text[at:]])


def _interpolated(quoted: str) -> Iterator[str]:
    at = 0
    while (start := quoted.find("${", at)) >= 0:
        at = _closing(quoted, start + 1)
        yield from expressions(quoted[start + 2 : at])


def _closing(text: str, opened: int) -> int:
    """Where the bracket closes that stands there, whatever stands in texts between."""
    depth, at = 0, opened
    while at < len(text):
        if text[at] == '"':
            at = _end_of_text(text, at)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return at
        at += 1
    return at


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (start := text.find('"', at)) >= 0:
        at = _end_of_text(text, start)
        yield start, at


def _end_of_text(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("${", at):
            at = _closing(text, at + 1) + 1
        else:
            at += 1
    return at + 1
