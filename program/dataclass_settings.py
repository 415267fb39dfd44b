"""Parsed TOML -> frozen dataclasses. A debt: `program.settings` does it for structs, and takes over what is still built here."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from program.settings import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def checked(record: type, content: dict[str, Any], file: Path, check: Callable[[Any], None]) -> Any:
    """The record, with its origin in its field `file`; paths are relative to that folder. Raises ConfigError, naming the file."""
    try:
        made = replace(build(record, content, "", file.parent), file=file)
        check(made)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    return made


def build(record: type, content: Any, where: str, folder: Path) -> Any:
    """`where` is the setting that holds the content, empty for the whole file. Raises ConfigError."""
    if not isinstance(content, dict):
        raise ConfigError(f"{where or 'the file'} must be a table, not {content!r}")
    told = get_type_hints(record)
    hints = {one.name: told[one.name] for one in fields(record) if one.metadata.get("setting", True)}
    for name in content:
        if name not in hints:
            near = get_close_matches(name, hints, 1)
            raise ConfigError(f"{where}{'.' if where else ''}{name}: unknown setting" + (f"; did you mean {near[0]}?" if near else ""))
    for one in fields(record):
        if one.name not in content and one.default is MISSING and one.default_factory is MISSING:
            raise ConfigError(f"{where}{'.' if where else ''}{one.name} is missing")
    return record(**{name: _value(hints[name], value, f"{where}.{name}".lstrip("."), folder) for name, value in content.items()})


def _value(hint: Any, value: Any, where: str, folder: Path) -> Any:  # noqa: PLR0911 - one line for each kind of value
    if get_origin(hint) is UnionType:
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if is_dataclass(hint):
        return build(hint, value, where, folder)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        return _list(get_args(hint)[0], value, where, folder)
    if get_origin(hint) is Mapping:
        return _table(get_args(hint)[1], value, where, folder)
    if hint is Path:
        return folder / Path(_text(value, where)).expanduser()
    if hint is str:
        return _text(value, where)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise ConfigError(f"{where} must be {_NAMES[hint]}, not {value!r}")
    return value


def _list(hint: Any, value: Any, where: str, folder: Path) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} must be a list, not {value!r}" + (f": write [[{where}]]" if is_dataclass(hint) else ""))
    return tuple(_value(hint, item, f"{where}[{number}]", folder) for number, item in enumerate(value, 1))


def _table(hint: Any, value: Any, where: str, folder: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        what, example = ("unit", '"m3/m3"') if hint is str else ("number", "0.01")
        raise ConfigError(f"{where} must be a table of channel and {what}, such as {{ moisture = {example} }}, not {value!r}")
    return {name: _value(hint, one, f"{where}.{name}", folder) for name, one in value.items()}


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where} must be a text, not {value!r}")

    def variable(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"{where}: the environment variable {found[1]} is not set")
        return os.environ[found[1]]

    return _VARIABLE.sub(variable, value)
