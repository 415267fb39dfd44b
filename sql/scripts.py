"""Reads the SQL files as scripts: what each creates or asks, which parameters it takes, and in which order they can be applied.

A file holds one object. Its header comment begins with the question that it answers; a line
`-- @name type = default: meaning` declares a parameter. Every parameter has a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from schemas.warehouse import DATASET

ROOT = Path(__file__).parent
CREATING = ("tables", "functions", "views")
"""Each file of these folders creates an object."""
ASKING = ("queries", "checks")
"""Each file of these folders is one select."""

_PARAMETER = re.compile(r"@(\w+) (\w+(?:<\w+>)?) = ([^:]*(?::\d[^:]*)*): (.+)")
_REFERENCE = re.compile(rf"\b{DATASET}\.(\w+)")
_VARIABLE = re.compile(r"@(\w+)")
_BOUNDED_FUNCTION = re.compile(rf"\b(?:from|join)\s+{DATASET}\.\w+\(\s*(?:timestamp_sub\(\s*)?@")
_SELECTED = re.compile(r"^(?:  )?select\s(.*?)^(?:  )?from\b", re.MULTILINE | re.DOTALL)
_LAST_NAME = re.compile(r"\w+|\*")
_COMMENT = re.compile(r"--[^\n]*")
_STRING = re.compile(r"'[^'\n]*'|\"(?:[^\"\\\n]|\\.)*\"")
_SMALL = {
    *("devices_v1", "sites_v1", "rules_v1", "release_decisions_v1", "devices", "sites", "rules", "release_decisions"),
    *("last_heard", "latest_values", "latest_verdicts"),
}
"""The registry, and what BigQuery keeps of each device."""


class ScriptError(ValueError):
    """A SQL file is not as the house writes them; the text names the file."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query is named; `default` is as written in the header."""

    name: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Script:
    """A script is one SQL file. `folder` says what it is: tables, functions, views, queries or checks."""

    folder: str
    name: str
    text: str

    @property
    def path(self) -> str:
        return f"sql/{self.folder}/{self.name}.sql"

    @property
    def code(self) -> str:
        """Returns the text without comments."""
        return _COMMENT.sub("", self.text).strip()

    @property
    def header(self) -> list[str]:
        """Returns the lines of the comment at the top, without its dashes."""
        lines = self.text.splitlines()
        end = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
        return [line.removeprefix("--").strip() for line in lines[:end]]

    @property
    def question(self) -> str:
        """Returns the first line of the header."""
        return self.header[0] if self.header else ""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Reads the parameter lines of the header. Raises ScriptError for one that cannot be read."""
        return tuple(self._parameter(line) for line in self.header if line.startswith("@"))

    @property
    def references(self) -> set[str]:
        """Returns the names in the dataset that it reads or creates."""
        return set(_REFERENCE.findall(self.code))

    @property
    def variables(self) -> set[str]:
        """Returns the names of the parameters that it uses."""
        return set(_VARIABLE.findall(self.code))

    @property
    def is_materialized(self) -> bool:
        """Returns whether it creates a view that BigQuery keeps up to date: its schema follows from its query, and is not to be updated."""
        return "materialized view" in self.code

    @property
    def qualifying(self) -> set[str]:
        """Returns the names of objects that stand before a column without being an alias."""
        return {
            name
            for name in self.references
            if re.search(rf"(?<![.\w]){name}\.\w", self.code) and not re.search(rf"\bas {name}\b|\b{name} as \(", self.code)
        }

    @property
    def selected(self) -> tuple[str, ...]:
        """Returns the names of the columns that the last select lists that is no part of another; `*`, also with `except`, is `*`."""
        listed = _SELECTED.findall(self.code)[-1]
        return tuple("*" if item.lstrip().startswith("*") else _LAST_NAME.findall(item)[-1] for item in split(listed, ","))

    @property
    def statements(self) -> int:
        """Counts its statements, each ended by a semicolon."""
        bare = _STRING.sub("", self.code)
        return bare.count(";") if bare.endswith(";") else bare.count(";") + 1

    @property
    def reads_only_what_is_small(self) -> bool:
        """Returns whether all it reads is small and not partitioned."""
        return self.references <= _SMALL

    def filters(self, partitions: Iterable[str]) -> bool:
        """Returns whether a parameter bounds one of these columns, or is handed to a table function that does."""
        bounded = any(re.search(rf"\b{column}\s*>=?\s*[^,;]*?@", self.code) for column in partitions)
        return bounded or _BOUNDED_FUNCTION.search(self.code) is not None

    def _parameter(self, line: str) -> Parameter:
        parameter = _PARAMETER.fullmatch(line)
        if not parameter:
            raise ScriptError(f"{self.path}: write `-- @name type = default: meaning`, not `-- {line}`")
        return Parameter(*parameter.groups())


def scripts(*folders: str, root: Path = ROOT) -> Iterator[Script]:
    """Reads every script of the folders, by name."""
    for folder in folders:
        for path in sorted((root / folder).glob("*.sql")):
            yield Script(folder, path.stem, path.read_text())


def script(folder: str, name: str) -> Script:
    """Reads one script. Raises FileNotFoundError."""
    return Script(folder, name, (ROOT / folder / f"{name}.sql").read_text())


def split(text: str, separator: str) -> list[str]:
    """Splits SQL at a separator, but for those in brackets."""
    parts, start = [], 0
    for place in re.finditer(re.escape(separator), text):
        if not open_brackets(text[: place.start()]):
            parts.append(text[start : place.start()])
            start = place.end()
    return [*parts, text[start:]]


def open_brackets(text: str) -> int:
    """Returns how many brackets are open at the end of a text."""
    return sum(map(text.count, "([")) - sum(map(text.count, ")]"))


def in_order(wanted: Iterable[Script]) -> list[Script]:
    """Sorts them so that each comes after what it reads. Raises ScriptError for a circle."""
    by_name = {script.name: script for script in wanted}
    needs = {name: sorted((script.references & by_name.keys()) - {name}) for name, script in by_name.items()}
    try:
        return [by_name[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        raise ScriptError(f"these read each other in a circle: {' -> '.join(error.args[1])}") from error
