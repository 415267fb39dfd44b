"""Writes provider.json: which arguments and blocks Google's provider takes for the resources of deploy/terraform, and of which types.

The provider itself is a program that the Terraform registry hands out; its arguments are published a second time as types, on npm:

    npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz            # a folder package/
    npm pack @cdktf/provider-google-beta@16.12.1 && tar xzf cdktf-provider-google-beta-16.12.1.tgz -C beta
    python tests/deploy/read_provider.py package beta/package
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.deploy.terraform import every_module

TARGET = Path(__file__).with_name("provider.json")
_INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^    readonly (\w+)(\??): (\w+|\{)(\[\])?", re.MULTILINE)
_RESOURCE = re.compile(r"^export declare class \w+ extends cdktf\.Terraform(?:Resource|DataSource) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_GETTER = re.compile(r"^    get (\w+)\(\)", re.MULTILINE)
_SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "{": "map", "any": "any"}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def arguments(interfaces: dict[str, str], name: str, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Arguments by name; of a type, with `!` if it is required, or the arguments of a block. Under `~` is what can only be read."""
    found: dict[str, Any] = {}
    for argument, optional, type_, many in _ARGUMENT.findall(interfaces[name]):
        if argument in left_out:
            continue
        simple = _SIMPLE.get(type_)
        inner = simple + ("s" if many else "") if simple else arguments(interfaces, type_)
        found[snake(argument)] = (inner + ("" if optional else "!")) if simple else ({} if optional else {"!": "required"}) | inner
    return found


def resource(kind: str, packages: list[Path]) -> dict[str, Any]:
    prefix, _, name = kind.partition("_")
    folder = ("data-google-" if prefix == "data.google" else "") + name.replace("_", "-")
    places = [package / "lib" / one / "index.d.ts" for package in packages for one in (folder, f"google-{folder}")]
    file = next(place for place in places if place.is_file())
    text = file.read_text()
    interfaces = dict(_INTERFACE.findall(text))
    known = arguments(
        interfaces, next(one for one, text in interfaces.items() if one.endswith("Config") and "constructs" not in text), ("id", "timeouts")
    )
    return known | {"~": computed(text, known)}


def computed(text: str, known: dict[str, Any]) -> list[str]:
    """What only Google knows of a resource: what can be read of it and not be given."""
    readable = {snake(name) for name in _GETTER.findall(next(iter(_RESOURCE.findall(text))))}
    return sorted(
        name
        for name in readable
        if f"{name}_input" not in readable and not name.endswith("_input") and name not in {*known, "id", "timeouts"}
    )


def main(packages: list[Path]) -> None:
    modules = every_module().values()
    kinds = {address.rpartition(".")[0] for module in modules for address in module.resources if "google_" in address}
    TARGET.write_text(json.dumps({kind: resource(kind, packages) for kind in sorted(kinds)}, indent=1) + "\n")


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
