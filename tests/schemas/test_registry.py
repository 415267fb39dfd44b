"""A registry says where a device stood at a time; a wrong one is refused, naming file, row and setting."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.registry import Registry, RegistryError

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


def test_a_device_is_where_it_stood_at_the_time(tmp_path: Path) -> None:
    registry = load(tmp_path, SOUND)
    moved = datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert registry.site_of("soil-1", moved.replace(hour=10, minute=59)) == "north"
    assert registry.site_of("soil-1", moved) == "south"
    assert registry.site_of("soil-2", moved) is None
    assert registry.sites[0].area_m2 == 390.0
    assert registry.sites[0].valid_from == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('site_id = "south"\nname', 'site_id = "so/uth"\nname', r"\[\[sites\]\] number 2: site_id must be letters"),
        ("area_m2 = 390", 'area_m2 = "big"', r"area_m2 must be float, not 'big'"),
        ("area_m2 = 390", "area = 390", r"unknown setting 'area'"),
        ('name = "South field"', "", r"number 2: name is missing"),
        ("valid_from = 2026-01-01", 'valid_from = "soon"', r"valid_from must be a date"),
        ("valid_to = 2026-03-01T12", "valid_to = 2026-03-01T13", r"device 'soil-1': two rows hold at 2026-03-01 11:00"),
        ("valid_to = 2026-03-01T12", "valid_to = 1960-03-01T12", r"is not after valid_from"),
        ('kind = "soil"\nsite_id = "north"', 'kind = "soil"\nsite_id = "nirth"', r"stands on site 'nirth', which is not in"),
        ("[[sites]]", "[[sits]]", r"unknown section 'sits'"),
        ("[[devices]]", "[[devices", r"not valid TOML"),
    ],
)
def test_a_wrong_registry_is_refused_naming_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SOUND
    with pytest.raises(RegistryError, match=said) as refused:
        load(tmp_path, SOUND.replace(old, new, 1))
    assert "registry.toml" in str(refused.value)


def test_a_missing_registry_is_said(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"nowhere\.toml: there is no such registry file"):
        Registry.load(tmp_path / "nowhere.toml")
