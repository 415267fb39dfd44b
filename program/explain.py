"""Turns what msgspec found wrong into one sentence that names the setting, with the words of its type and the cure. Lists count from 1."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

_PATH = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<field>\w+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 100
"""Characters of a wrong value that are shown."""

_KINDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "a text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "a date or a time",
    inspect.VarTupleType: "a list",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
    inspect.UnionType: "a table",
    inspect.CustomType: "a text",
}


def explain(struct: type, content: dict[str, Any], error: msgspec.ValidationError, dec_hook: Callable[[type, Any], Any]) -> str:
    """Returns the sentence about the content that `msgspec.convert` refused."""
    found = _PATH.fullmatch(str(error))
    assert found is not None
    steps = [_step(step) for step in _STEP.finditer(found["path"] or "")] + ([None] if found["key"] else [])
    while None in steps:
        steps[steps.index(None)] = _wrong_key(struct, content, steps, dec_hook)
    place = _Place(inspect.type_info(struct), content)
    for step in steps[:-1] if found["key"] else steps:
        place = place.into(step)
    if found["key"]:
        place = place.key(str(steps[-1]))
    if isinstance(error.__cause__, ValueError):
        return place.about(str(error.__cause__))
    if unknown := _UNKNOWN.fullmatch(found["what"]):
        return place.unknown(unknown[1])
    if missing := _MISSING.fullmatch(found["what"]):
        return place.missing(missing[1])
    return place.wrong()


def _step(step: re.Match[str]) -> str | int | None:
    """Reads a step of a path: a number, a name, or None for a key of a table, which msgspec does not name."""
    return int(step["index"]) if step["index"] else step["field"]


def _wrong_key(struct: type, content: dict[str, Any], steps: list[Any], dec_hook: Callable[[type, Any], Any]) -> str:
    """Finds the key that msgspec does not name: it is refused when it stands alone."""
    path = steps[: steps.index(None)]
    for key, value in _at(content, path).items():
        alone = deepcopy(content)
        table = _at(alone, path)
        table.clear()
        table[key] = value
        try:
            msgspec.convert(alone, struct, dec_hook=dec_hook)
        except msgspec.ValidationError:
            return str(key)
    raise AssertionError(f"no key of {path} is wrong")


def _at(content: Any, path: list[Any]) -> Any:
    for step in path:
        content = content[step]
    return content


class _Place:
    """Knows a place in the content: its setting's name, the type that is wanted, what the type's author calls it, and the value."""

    def __init__(self, wanted: inspect.Type, value: Any, where: str = "") -> None:
        extra, self._wanted = _unwrapped(wanted, value)
        self._form: str | None = extra.get("form")
        self._renamed: dict[str, str] = extra.get("renamed", {})
        self._value, self._where = value, where

    def into(self, step: Any) -> _Place:
        """Returns the place one step further in."""
        where = f"{self._where}[{step + 1}]" if isinstance(step, int) else self._under(step)
        return _Place(self._inner(step), self._value[step], where)

    def key(self, key: str) -> _Place:
        """Returns the key of a table, as a value that is itself wrong."""
        assert isinstance(self._wanted, inspect.DictType)
        return _Place(self._wanted.key_type, key, self._under(key))

    def _inner(self, step: Any) -> inspect.Type:
        wanted = self._wanted
        if isinstance(wanted, inspect.VarTupleType):
            return wanted.item_type
        if isinstance(wanted, inspect.DictType):
            return wanted.value_type
        if isinstance(wanted, inspect.UnionType):
            return inspect.LiteralType(tuple(_tags(wanted)))
        assert isinstance(wanted, inspect.StructType)
        return inspect.LiteralType((wanted.tag,)) if step == wanted.tag_field else _fields(wanted)[step].type

    def about(self, sentence: str) -> str:
        """Puts the place before a sentence of our own; one that begins with a setting of this place goes on from its name."""
        if not self._where:
            return sentence
        first = re.split(r"\W", sentence, maxsplit=1)[0]
        joint = "." if isinstance(self._wanted, inspect.StructType) and first in _fields(self._wanted) else ": "
        return f"{self._where}{joint}{sentence}"

    def unknown(self, name: str) -> str:
        assert isinstance(self._wanted, inspect.StructType)
        if renamed := getattr(self._wanted.cls, "RENAMED", {}).get(name):
            return f"{self._under(name)} is no longer a setting: {renamed}"
        known = [*_fields(self._wanted), *([self._wanted.tag_field] if self._wanted.tag_field else [])]
        near = get_close_matches(name, known, 1)
        kind = f" of {self._wanted.tag_field} {self._wanted.tag!r}" if self._wanted.tag_field else ""
        return f"{self._under(name)}: unknown setting{kind}" + (f"; did you mean {near[0]}?" if near else "")

    def missing(self, name: str) -> str:
        where = self._under(name)
        if isinstance(self._wanted, inspect.UnionType):
            return f"{where} is missing: one of {', '.join(_tags(self._wanted))}"
        return f"{where} is missing" + _cure(_unwrapped(_fields(self._wanted)[name].type, None)[1], where)

    def wrong(self) -> str:
        shown = repr(self._value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
        wanted = self._wanted
        if isinstance(wanted, inspect.VarTupleType) and isinstance(self._value, list):
            return f"{self._where} must not be empty{_cure(wanted, self._where)}"
        secret = isinstance(wanted, inspect.CustomType) and getattr(wanted.cls, "SECRET", False)
        if isinstance(self._value, str) and self._value in self._renamed:
            return f"{self._where} is no longer {shown}: it is {self._renamed[self._value]!r} now"
        return f"{self._where} must be {self._words()}" + ("" if secret else f", not {shown}") + _cure(wanted, self._where)

    def _words(self) -> str:
        wanted, value = self._wanted, self._value
        if isinstance(wanted, inspect.EnumType | inspect.LiteralType):
            values = [member.value for member in wanted.cls] if isinstance(wanted, inspect.EnumType) else wanted.values
            return f"one of {', '.join(str(value) for value in values)}"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(wanted, inspect.IntType | inspect.FloatType) and number and (bounds := between(wanted)):
            whole = isinstance(wanted, inspect.IntType) and isinstance(value, float)
            return _KINDS[type(wanted)] if whole else bounds
        if self._form:
            return self._form
        if isinstance(wanted, inspect.StrType) and isinstance(value, str):
            return _length(wanted)
        return _KINDS[type(wanted)]

    def _under(self, name: str) -> str:
        return f"{self._where}.{_key(name)}".lstrip(".")


def _key(name: str) -> str:
    """The name as TOML writes it: bare where it can be, else in quotes, so that it stays on its line."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def between(wanted: inspect.IntType | inspect.FloatType) -> str:
    """Says the bounds of a number in words, empty if it has none."""
    if wanted.ge is not None and wanted.le is not None:
        return f"{wanted.ge} to {wanted.le}"
    words = {"at least": wanted.ge, "greater than": wanted.gt, "at most": wanted.le, "less than": wanted.lt}
    return " and ".join(f"{word} {bound}" for word, bound in words.items() if bound is not None)


def _length(wanted: inspect.StrType) -> str:
    least, most = wanted.min_length or 0, wanted.max_length
    return f"a text of {least} to {most} characters" if most is not None else f"a text of at least {least} characters"


def _unwrapped(wanted: inspect.Type, value: Any) -> tuple[dict[str, Any], inspect.Type]:
    """Returns what the type's author says beside it (form, renamed), and the type that counts: without None, of the value's own kind."""
    extra: dict[str, Any] = {}
    while isinstance(wanted, inspect.Metadata | inspect.UnionType):
        if isinstance(wanted, inspect.Metadata):
            extra = extra | (wanted.extra or {})
            wanted = wanted.type
            continue
        members = [member for member in wanted.types if not isinstance(member, inspect.NoneType)]
        tagged = [member for member in members if isinstance(member, inspect.StructType)]
        if len(members) == 1:
            wanted = members[0]
            continue
        kind = value.get(tagged[0].tag_field) if tagged and isinstance(value, dict) else None
        mine = [member for member in tagged if member.tag == kind]
        if not mine:
            return extra, inspect.UnionType(tuple(members))
        wanted = mine[0]
    return extra, wanted


def _tags(union: inspect.UnionType) -> list[str]:
    return [str(member.tag) for member in union.types if isinstance(member, inspect.StructType)]


def _fields(wanted: inspect.Type) -> dict[str, inspect.Field]:
    assert isinstance(wanted, inspect.StructType)
    return {field.encode_name: field for field in wanted.fields}


def _cure(wanted: inspect.Type, where: str) -> str:
    """Says how such a table or list of tables is written."""
    if where.endswith("]"):
        return ""
    section = re.sub(r"\[\d+\]", "", where)
    if isinstance(wanted, inspect.VarTupleType):
        is_table = isinstance(_unwrapped(wanted.item_type, None)[1], inspect.StructType | inspect.UnionType | inspect.DictType)
        return f": write [[{section}]]" if is_table else ""
    return f": write [{section}]" if isinstance(wanted, inspect.StructType | inspect.UnionType) else ""


def untagged(wanted: inspect.Type, value: Any, where: str = "") -> str | None:
    """Names a table whose kind is not said; msgspec asks for it only where there are several kinds, and a second one may come."""
    _, wanted = _unwrapped(wanted, value)
    if isinstance(wanted, inspect.VarTupleType) and isinstance(value, list):
        places = ((wanted.item_type, item, f"{where}[{number}]") for number, item in enumerate(value, 1))
    elif isinstance(wanted, inspect.StructType) and isinstance(value, dict):
        if wanted.tag_field and wanted.tag_field not in value:
            return f"{where}.{wanted.tag_field} is missing: write {wanted.tag_field} = {json.dumps(wanted.tag)}"
        places = ((field.type, value[name], f"{where}.{name}".lstrip(".")) for name, field in _fields(wanted).items() if name in value)
    else:
        return None
    return next((sentence for place in places if (sentence := untagged(*place))), None)
