"""Settings are declared once; what a file gets wrong is a sentence that names the setting and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from msgspec import Meta

from program.settings import ConfigError, Secret, Settings, build, is_local, load, require, setting


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Square(Settings, frozen=True, kw_only=True, tag_field="kind", tag="square"):
    side: Annotated[float, setting("Length of a side", gt=0, le=10)]


class Circle(Settings, frozen=True, kw_only=True, tag_field="kind", tag="circle"):
    radius: Annotated[int, setting("Radius", ge=1)]


class Part(Settings, frozen=True, kw_only=True):
    RENAMED: ClassVar[Mapping[str, str]] = {"heavy": "it is weight"}

    name: Annotated[str, setting("Name", pattern="^[a-z]+$", form="small letters")]
    weight: Annotated[Annotated[float, Meta(ge=0)] | None, setting("Weight")] = None
    length: Annotated[str, setting("A short text", max_length=3)] = ""
    colours: tuple[Colour, ...] = ()
    size: Literal[1, 2] = 1
    made: Annotated[datetime, Meta(tz=True)] = datetime(2026, 1, 1, tzinfo=UTC)
    limits: Mapping[Annotated[str, Meta(max_length=3)], Annotated[float, Meta(gt=0)]] = {}
    token: Secret = Secret("")
    drawing: Path | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        require(self.size == 1 or self.weight, "weight is needed for size 2")
        require(self.name != "odd", "there is nothing odd")


class Whole(Settings, frozen=True, kw_only=True):
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    shape: Square | Circle | None = None
    base: Part | None = None


def whole(**changed: Any) -> Whole:
    return build(Whole, {"parts": [{"name": "a"}], **changed}, Path("/folder"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"colour": 1}, "parts[2].colour: unknown setting; did you mean colours?"),
        ({"heavy": 1}, "parts[2].heavy is no longer a setting: it is weight"),
        ({"name": 1}, "parts[2].name must be small letters, not 1"),
        ({"name": "A"}, "parts[2].name must be small letters, not 'A'"),
        ({"name": "odd"}, "parts[2]: there is nothing odd"),
        ({"weight": -1}, "parts[2].weight must be at least 0, not -1"),
        ({"weight": "1"}, "parts[2].weight must be a number, not '1'"),
        ({"weight": float("nan")}, "parts[2].weight must be a number, not nan"),
        ({"size": 2}, "parts[2].weight is needed for size 2"),
        ({"size": 3}, "parts[2].size must be one of 1, 2, not 3"),
        ({"length": "long"}, "parts[2].length must be a text of 0 to 3 characters, not 'long'"),
        ({"colours": ["red", "green"]}, "parts[2].colours[2] must be one of red, blue, not 'green'"),
        ({"colours": "red"}, "parts[2].colours must be a list, not 'red'"),
        ({"made": "noon"}, "parts[2].made must be a date or a time, not 'noon'"),
        ({"limits": {"a": 1, "b": 0}}, "parts[2].limits.b must be greater than 0, not 0"),
        ({"limits": {"a": 1, "long": 1}}, "parts[2].limits.long must be a text of 0 to 3 characters, not 'long'"),
        ({"limits": [1]}, "parts[2].limits must be a table, not [1]"),
        ({"token": 12345}, "parts[2].token must be a text"),
        ({"drawing": 1}, "parts[2].drawing must be a text, not 1"),
        ({"exact": "yes"}, "parts[2].exact must be true or false, not 'yes'"),
        ({"name": "a\nb"}, "parts[2].name must be one line of printable text"),
    ],
)
def test_a_sentence_names_the_setting_and_what_it_must_be(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        whole(parts=[{"name": "a"}, {"name": "b", **changed}])
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"shape": {"kind": "star"}}, "shape.kind must be one of square, circle, not 'star'"),
        ({"shape": {"kind": 1}}, "shape.kind must be one of square, circle, not 1"),
        ({"shape": {}}, "shape.kind is missing: one of square, circle"),
        ({"shape": 1}, "shape must be a table, not 1: write [shape]"),
        ({"shape": {"kind": "square"}}, "shape.side is missing"),
        ({"shape": {"kind": "square", "side": 11}}, "shape.side must be greater than 0 and at most 10, not 11"),
        ({"shape": {"kind": "circle", "radius": 1, "side": 1}}, "shape.side: unknown setting of kind 'circle'"),
        ({"shape": {"kind": "circle", "radios": 1}}, "shape.radios: unknown setting of kind 'circle'; did you mean radius?"),
        ({"parts": []}, "parts must not be empty: write [[parts]]"),
        ({"parts": [1]}, "parts[1] must be a table, not 1"),
        ({"parts": [{}]}, "parts[1].name is missing"),
        ({"base": 1}, "base must be a table, not 1: write [base]"),
        ({"base": {"name": "x" * 150 + "1"}}, f"base.name must be small letters, not '{'x' * 99}..."),
    ],
)
def test_kinds_and_tables_are_named_as_they_are_written(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        whole(**changed)
    assert str(error.value) == sentence


def test_a_date_is_its_midnight_and_a_time_without_an_offset_is_utc() -> None:
    assert whole(parts=[{"name": "a", "made": date(2026, 5, 1)}]).parts[0].made == datetime(2026, 5, 1, tzinfo=UTC)
    naive = datetime(2026, 5, 1, 12)  # noqa: DTZ001 - as TOML has it
    assert whole(parts=[{"name": "a", "made": naive}]).parts[0].made == datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_path_is_relative_to_the_folder_and_a_home_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/user")
    drawings = [whole(parts=[{"name": "a", "drawing": path}]).parts[0].drawing for path in ("x/y", "/x", "~/x")]
    assert drawings == [Path("/folder/x/y"), Path("/x"), Path("/home/user/x")]


def test_a_secret_is_a_text_that_no_repr_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "geheim")
    struct = whole(parts=[{"name": "a", "token": "Bearer ${TOKEN_OF_TEST}"}])
    assert struct.parts[0].token == "Bearer geheim"
    assert "geheim" not in repr(struct)


def test_a_variable_that_is_not_set_is_named_with_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"parts\[1\]\.name: the environment variable NO_SUCH_VARIABLE is not set"):
        whole(parts=[{"name": "${NO_SUCH_VARIABLE}"}])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(Whole, tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"bytes\.toml: not valid TOML"):
        load(Whole, tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("broker", False)]
)
def test_this_machine_is_known_by_name_and_address(host: str, local: bool) -> None:
    assert is_local(host) == local


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"drawing": "~nobody-of-this-name/a.svg"}, "parts[1].drawing: there is no home folder of '~nobody-of-this-name'"),
        ({"made": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}, "parts[1].made lies outside the years 1 to 9999 in UTC"),
        ({"two\nlines": 1}, 'parts[1]."two\\nlines": unknown setting'),
        ({"a.b": 1}, 'parts[1]."a.b": unknown setting'),
        ({"": 1}, 'parts[1]."": unknown setting'),
    ],
)
def test_what_no_setting_can_be_is_one_sentence_too(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        whole(parts=[{"name": "a", **changed}])
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    "text",
    ["size = 1" + "0" * 5000, "parts = " + "[" * 5000 + "]" * 5000, "[" + ".".join("a" * 5000) + "]"],
    ids=["a number of 5001 digits", "5000 lists in each other", "5000 tables in each other"],
)
def test_a_file_that_python_cannot_hold_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "whole.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"^{file}: "):
        load(Whole, file)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "whole.toml"
    file.write_bytes(b"\xef\xbb\xbf[[parts]]\r\nname = 'a'\r\n")
    assert load(Whole, file).parts[0].name == "a"
