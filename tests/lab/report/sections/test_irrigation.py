from dataclasses import replace
from typing import Any

from lab.report.query_results import QueryResults
from lab.report.sections import irrigation

EMPTY = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))


def _water(field: str, need_mm: float, days: float | None) -> dict[str, Any]:
    return {"field": field, "need_mm": need_mm, "need_m3": 10 * need_mm, "days_until_stress": days, "assumed": None}


def test_fields_that_need_nothing_soon_are_named_in_one_sentence() -> None:
    water = (_water("Dry", 14.0, 0.0), _water("Soon", 0.0, 5.0), _water("Wet", 0.0, 14.0), _water("Odd", 0.0, None))
    shown = irrigation.content(replace(EMPTY, irrigation_this_week=water))
    assert [row["field"] for row in shown["rows"]] == ["Dry", "Odd", "Soon"]
    assert shown["later"] == ["Wet"]
    assert (shown["thirsty"], shown["total_m3"], shown["fields"]) == (1, 140.0, 4)
    assert irrigation.lede(shown).startswith("1 of 4 fields needs water today, 140 m³ in all.")
