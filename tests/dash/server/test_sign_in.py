"""Who is let in, and what they are taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dash.data.viewer import Viewer
from dash.server.sign_in import BehindProxy, Refused, ThisMachine
from dash.settings import load
from program.settings import ConfigError

SECRET = "0123456789abcdef0123456789abcdef"
TEXT = """
[sign_in]
secret_file = "dash.secret"

[[viewers]]
user = "anna@farm.example"
sites = ["north"]

[[viewers]]
user = "otto@farm.example"
answers = false
"""


def signed_in_by_a_proxy(folder: Path, text: str = TEXT, secret: str = SECRET, mode: int = 0o600) -> BehindProxy:
    (folder / "dash.toml").write_text(text)
    (folder / "dash.secret").write_text(secret + "\n")
    (folder / "dash.secret").chmod(mode)
    return BehindProxy(load(folder / "dash.toml"))


def test_a_person_whom_the_proxy_names_sees_the_sites_of_the_settings(tmp_path: Path) -> None:
    person = signed_in_by_a_proxy(tmp_path)({"x-tinybeam-secret": SECRET, "x-forwarded-user": "anna@farm.example"})
    assert (person.name, person.viewer, person.answers) == ("anna@farm.example", Viewer(("north",)), True)


def test_a_person_without_sites_in_the_settings_sees_all_and_may_be_kept_from_answering(tmp_path: Path) -> None:
    person = signed_in_by_a_proxy(tmp_path)({"x-tinybeam-secret": SECRET, "x-forwarded-user": "otto@farm.example"})
    assert person.viewer.all_sites
    assert not person.answers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-forwarded-user": "anna@farm.example"},
        {"x-tinybeam-secret": "", "x-forwarded-user": "anna@farm.example"},
        {"x-tinybeam-secret": SECRET[:-1], "x-forwarded-user": "anna@farm.example"},
        {"x-tinybeam-secret": SECRET + "é", "x-forwarded-user": "anna@farm.example"},
        {"x-tinybeam-secret": SECRET},
        {"x-tinybeam-secret": SECRET, "x-forwarded-user": "eve@elsewhere.example"},
        {"x-tinybeam-secret": SECRET, "x-forwarded-user": "ANNA@farm.example"},
    ],
)
def test_nobody_is_let_in_without_the_secret_and_a_name_of_the_settings(tmp_path: Path, headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        signed_in_by_a_proxy(tmp_path)(headers)


def test_a_page_without_a_sign_in_answers_its_own_machine_and_no_proxy() -> None:
    sign_in = ThisMachine(Viewer())
    assert sign_in({"host": "localhost"}).viewer.all_sites
    with pytest.raises(Refused, match="no sign-in"):
        sign_in({"host": "localhost", "x-forwarded-for": "203.0.113.9"})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"secret": "short"}, "fewer than 32 characters"),
        ({"mode": 0o644}, "can be read by others"),
        ({"text": TEXT.replace("otto", "anna")}, "names a user twice"),
        ({"text": TEXT.partition("[[viewers]]")[0]}, "viewers"),
        ({"text": TEXT.replace('sites = ["north"]', "sites = []")}, "sites"),
    ],
)
def test_settings_that_would_let_in_the_wrong_ones_are_refused_by_name(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        signed_in_by_a_proxy(tmp_path, **changes)  # type: ignore[arg-type]
    assert SECRET not in str(refused.value)
