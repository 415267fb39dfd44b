"""Reads TOML into a frozen struct, wholly checked. What is wrong is told in one sentence that names the file, the setting and the cure.

A setting is a field of a `Settings` struct with its constraints and its description beside it:

    class HealthSettings(Settings, frozen=True, kw_only=True):
        port: Annotated[int, setting("Port of the health server. 0: none", ge=0, le=65535)] = 0

What must hold between settings is checked in the struct's `__post_init__` by `require`, whose sentence begins with a setting.
`${NAME}` in a text is taken from the environment, a relative path is relative to the file's folder, a time without an offset is UTC.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from program.explain import explain, untagged

YEAR = 366 * 86_400
"""Seconds: the longest that most settings of time may be."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOO_DEEP = "lists or tables lie in each other deeper than any setting does"


class ConfigError(ValueError):
    """The configuration is wrong; the text names the file and the setting."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Is the base of every table of a configuration file: frozen, and closed to what it does not know."""

    RENAMED: ClassVar[Mapping[str, str]] = {}
    """Maps settings of earlier versions to a sentence that names the new one."""

    @classmethod
    def completed(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Returns the content with what it refers to put in. Raises ConfigError."""
        return content


class Secret(str):
    """Holds a text that is never shown, neither in a repr nor in an error."""

    __slots__ = ()
    SECRET = True

    def __repr__(self) -> str:
        return "'...'"


def setting(
    description: str,
    *,
    example: Any = None,
    form: str | None = None,
    renamed: Mapping[str, str] | None = None,
    since: str = "0.1.0",
    **constraints: Any,
) -> msgspec.Meta:
    """Describes a field: its constraints (as msgspec.Meta has them), and what is described to people and editors.

    `form` are the words that follow "must be" where the type's own would not do; `renamed` maps values of earlier versions to the new ones.
    """
    extra = {"since": since} | ({"form": form} if form else {}) | ({"renamed": dict(renamed)} if renamed else {})
    return msgspec.Meta(description=description, examples=None if example is None else [example], extra=extra, **constraints)


def require(condition: object, sentence: str) -> None:
    """Raises ConfigError unless the condition holds; the sentence begins with the setting that it is about."""
    if not condition:
        raise ConfigError(sentence)


Struct = TypeVar("Struct", bound=Settings)


def load(struct: type[Struct], file: Path) -> Struct:
    """Reads and checks a file. Raises ConfigError, naming the file."""
    return parse(struct, read(file), file)


def read(file: Path) -> dict[str, Any]:
    """Reads a file as TOML. Raises ConfigError, naming the file."""
    with of_file(file):
        try:
            return content(file.read_bytes())
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}") from error


def content(text: bytes) -> dict[str, Any]:
    """Reads the text of a file as TOML. Raises ConfigError."""
    try:
        # Editors of Windows put a byte order mark first.
        return tomllib.loads(text.decode("utf-8-sig"))
    except RecursionError as error:
        raise ConfigError(_TOO_DEEP) from error
    except ValueError as error:
        # Not UTF-8, not TOML, or a number of thousands of digits.
        raise ConfigError(f"not valid TOML: {error}") from error


def parse(struct: type[Struct], content: dict[str, Any], file: Path) -> Struct:
    """Checks parsed TOML. Raises ConfigError, naming the file."""
    with of_file(file):
        return build(struct, content, file.parent)


@contextmanager
def of_file(file: Path | str) -> Iterator[None]:
    """A ConfigError that is raised within names the file."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error


def build(struct: type[Struct], content: dict[str, Any], folder: Path) -> Struct:
    """Checks parsed TOML of no file; paths are relative to the folder. Raises ConfigError, naming the setting."""
    try:
        plain: dict[str, Any] = _plain(content, "")
    except RecursionError as error:
        raise ConfigError(_TOO_DEEP) from error
    plain, hook = struct.completed(plain), _custom_types(folder)
    try:
        settings = msgspec.convert(plain, struct, dec_hook=hook)
    except msgspec.ValidationError as error:
        raise ConfigError(explain(struct, plain, error, hook)) from error
    if sentence := untagged(msgspec.inspect.type_info(struct), plain):
        raise ConfigError(sentence)
    return settings


def is_local(host: str) -> bool:
    """Says whether the host is this machine, by name or address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(host: str) -> bool:
    """Says whether the host is an address that the whole world can reach. What a name leads to is not known."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def _plain(value: Any, where: str) -> Any:
    """Puts variables in and times into UTC, and refuses what a file may hold and no setting can be."""
    if isinstance(value, dict):
        return {name: _plain(inner, f"{where}.{name}".lstrip(".")) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{where}[{number}]") for number, inner in enumerate(value, 1)]
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, date):
        return _time(value, where)
    require(not isinstance(value, float) or math.isfinite(value), f"{where} must be a number, not {value!r}")
    return value


def _text(value: str, where: str) -> str:
    def variable(found: re.Match[str]) -> str:
        require(found[1] in os.environ, f"{where}: the environment variable {found[1]} is not set")
        return os.environ[found[1]]

    text = _VARIABLE.sub(variable, value)
    require(text.isprintable(), f"{where} must be one line of printable text")
    return text


def _time(value: date, where: str) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ConfigError(f"{where} lies outside the years 1 to 9999 in UTC") from error


def _custom_types(folder: Path) -> Callable[[type, Any], Any]:
    """Returns the hook that converts paths and secrets, which msgspec does not know."""

    def convert(wanted: type, value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError
        return Secret(value) if wanted is Secret else folder / _at_home(Path(value))

    return convert


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigError(f"there is no home folder of {path.parts[0]!r}") from error
