"""The page calls devices as people do, by a copy of the registry; a sound one, or the gateway does not start."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from edge.page.names import Names
from edge.page.page import Page
from program.settings import ConfigError
from tests.edge.gateways import START, config
from tests.edge.page.test_page import Place, moisture

REGISTRY = """
[[sites]]
site_id = "mill"
name = "Grain <Mill>"

[[devices]]
device_id = "d1"
kind = "soil"
site_id = "mill"
name = "Probe at the oak"

[[devices]]
device_id = "d2"
kind = "soil"
site_id = "mill"
name = "Probe of next year"
valid_from = 2030-01-01
"""


def test_people_read_the_names_of_the_registry_and_which_device_it_is(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text(REGISTRY)
    place = Place(tmp_path, registry_file=str(tmp_path / "registry.toml"))
    place.hear("d1", **moisture(0.3))
    place.hear("d1", values={"moisture": "wet"})
    place.hear("d2", values={"moisture": "wet"})
    place.go_on(1)
    _, shown, _ = place.get()
    place.close()
    assert "<h3>Grain &lt;Mill&gt;, Probe at the oak</h3>" in shown
    assert "d1, heard just now" in shown
    assert shown.count("set aside, Grain &lt;Mill&gt;, Probe at the oak and d2: moisture is the text") == 1


def test_without_a_registry_each_is_called_by_its_identifier() -> None:
    names = Names.load(None, START)
    assert (names.device("d1"), names.gateway("gateway-north")) == ("d1", "gateway north")


def test_a_registry_that_is_not_sound_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text(REGISTRY.replace('"mill"\nname = "Probe at', '"nowhere"\nname = "Probe at'))
    with pytest.raises(ConfigError, match=r"registry.toml: devices\[1\].site_id: 'nowhere' is not in"):
        Page(config(tmp_path, page={"port": 1, "registry_file": str(file)}), lambda: START + timedelta(0))
