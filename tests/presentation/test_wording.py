from datetime import UTC, datetime

import pytest

from presentation import wording


@pytest.mark.parametrize(("number", "text"), [(7, "7"), (1234567, "1 234 567"), (1234.4, "1 234")])
def test_thousands_are_set_apart(number: float, text: str) -> None:
    assert wording.count(number).replace("\N{NARROW NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(("number", "text"), [(7, "7 B"), (999, "999 B"), (1000, "1 kB"), (3038287, "3.04 MB"), (5e9, "5 GB")])
def test_sizes_have_a_unit(number: float, text: str) -> None:
    assert wording.size(number).replace("\N{NO-BREAK SPACE}", " ") == text


def test_names_of_crops_are_words() -> None:
    assert [wording.plain(name) for name in ("Maize", "SugarBeet", "WinterWheat")] == ["Maize", "Sugar beet", "Winter wheat"]


def test_a_message_writes_units_as_people_do() -> None:
    assert (
        wording.with_units("Tank m3: 0.31 m3/m3 at 12 degC, 9.81 m/s2; give 2,931 m3")
        == "Tank m3: 0.31 m³/m³ at 12 °C, 9.81 m/s²; give 2,931 m³"
    )


def test_what_is_counted_agrees_with_its_number() -> None:
    assert [wording.counted(number, "field") for number in (0, 1, 1234)] == ["0 fields", "1 field", "1\N{NARROW NO-BREAK SPACE}234 fields"]
    assert [wording.counted(number, "batch is", "batches are") for number in (1, 2)] == ["1 batch is", "2 batches are"]


def test_lists_end_with_and() -> None:
    assert [wording.listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_times_are_utc() -> None:
    time = datetime(2026, 5, 1, 9, 5, 7, tzinfo=UTC)
    assert (wording.moment(time), wording.clock(time)) == ("1 May, 09:05", "09:05:07")


def test_a_short_message_leaves_out_what_is_for_who_operates_it() -> None:
    assert wording.short("A bearing is failing: Mill, Pump: vibration says failing (score 63.97)") == (
        "A bearing is failing: Mill, Pump: vibration says failing"
    )
    assert wording.short("give 56 mm today (assumed: the day's temperatures so far)") == "give 56 mm today"
    assert wording.short("Look at the device; the view events has what led to it") == "Look at the device"
    assert wording.short("Look at it (twice); then stop it") == "Look at it (twice); then stop it"
