"""A registry says where a device stood at a time; a wrong one is refused, naming file, row and setting."""

import pickle
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from program.settings import ConfigError
from schemas.registry import FixedRegistry, OfRegistry, Registry

SOUND = """
[[sites]]
site_id = "north"
name = "North field"
area_m2 = 390
valid_from = 2026-01-01
[[sites]]
site_id = "south"
name = "South field"
[[devices]]
device_id = "soil-1"
kind = "soil"
site_id = "north"
valid_to = 2026-03-01T12:00:00+01:00
[[devices]]
device_id = "soil-1"
kind = "soil"
site_id = "south"
valid_from = 2026-03-01T12:00:00+01:00
"""


def load(tmp_path: Path, text: str) -> Registry:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    return Registry.load(path)


def test_a_device_has_a_row_for_each_place_and_times_are_in_utc(tmp_path: Path) -> None:
    registry = load(tmp_path, SOUND)
    moved, always = datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)
    places = [(device.site_id, device.valid_from, device.valid_to) for device in registry.devices]
    assert places == [("north", always, moved), ("south", moved, None)]
    assert registry.sites[0].area_m2 == 390.0
    assert registry.sites[0].valid_from == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'site_id = "south"\nname',
            'site_id = "so/uth"\nname',
            "sites[2].site_id must be letters, digits, dot, dash or underscore, at most 64, not 'so/uth'",
        ),
        ("area_m2 = 390", 'area_m2 = "big"', "sites[1].area_m2 must be a number, not 'big'"),
        ("area_m2 = 390", "area_m2 = 0", "sites[1].area_m2 must be greater than 0, not 0"),
        ("area_m2 = 390", "latitude = 91", "sites[1].latitude must be -90 to 90, not 91"),
        ("area_m2 = 390", "area = 390", "sites[1].area: unknown setting; did you mean area_m2?"),
        ('name = "South field"', "", "sites[2].name is missing"),
        ("valid_from = 2026-01-01", 'valid_from = "soon"', "sites[1].valid_from must be a date or a time, not 'soon'"),
        ("valid_to = 2026-03-01T12", "valid_to = 2026-03-01T13", "devices: two rows of 'soil-1' hold at 2026-03-01 11:00:00+00:00"),
        (
            "valid_to = 2026-03-01T12",
            "valid_to = 1960-03-01T12",
            "devices[1].valid_to 1960-03-01 11:00:00+00:00 is not after valid_from 1970-01-01 00:00:00+00:00",
        ),
        ('kind = "soil"\nsite_id = "north"', 'kind = "soil"\nsite_id = "nirth"', "devices[1].site_id: 'nirth' is not in [[sites]]"),
        ("[[sites]]", "[[sits]]", "sits: unknown setting; did you mean sites?"),
    ],
)
def test_a_wrong_registry_is_refused_naming_file_row_and_setting(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in SOUND
    with pytest.raises(ConfigError) as error:
        load(tmp_path, SOUND.replace(old, new, 1))
    assert str(error.value) == f"{tmp_path / 'registry.toml'}: {sentence}"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('soil = "moon dust"', "sites[1].soil must be one of sand, loamy sand, "),
        ('crop = "Lavender"', "sites[1].crop must be one of barley, cotton, "),
        ('crop = "Lavender"', "not 'Lavender'; leave it out for a crop without a water balance"),
    ],
)
def test_a_soil_or_crop_without_a_water_balance_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        load(tmp_path, SOUND.replace("area_m2 = 390", line))


@pytest.mark.parametrize("name", ["SandyLoam", "sandy loam", "Sandy-Loam", "SANDY_LOAM"])
def test_a_soil_is_known_however_it_is_spaced(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, SOUND.replace("area_m2 = 390", f'soil = "{name}"')).sites[0].soil == name


def test_a_registry_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        Registry.load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match=r"registry\.toml: not valid TOML"):
        load(tmp_path, "[[devices")


def test_what_is_built_of_a_registry_is_built_anew_only_when_another_is_in_force() -> None:
    in_force = [Registry((), ())]

    class Changing:
        def current(self) -> Registry:
            return in_force[0]

    counted = OfRegistry(Changing(), lambda registry: [len(registry.devices)])
    first = counted.current()
    assert counted.current() is first
    in_force[0] = Registry((), ())
    assert counted.current() is not first


def test_what_is_built_of_a_registry_is_built_where_it_is_used() -> None:
    devices = OfRegistry(FixedRegistry(Registry((), ())), _Unpicklable)
    devices.current()
    assert isinstance(pickle.loads(pickle.dumps(devices)).current(), _Unpicklable)


class _Unpicklable:
    def __init__(self, registry: Registry) -> None:
        self.devices = (device for device in registry.devices)
