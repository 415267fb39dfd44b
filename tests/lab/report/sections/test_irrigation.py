from dataclasses import replace
from typing import Any

from lab.report.query_results import QueryResults
from lab.report.sections import irrigation

EMPTY = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))


def _water(field: str, need_mm: float | None, days: float | None, **changes: Any) -> dict[str, Any]:
    action = "unknown" if need_mm is None else "water" if need_mm else "wait"
    need_m3 = None if need_mm is None else 10 * need_mm
    figures = {"balance_days": days, "model_days": None, "rests_on": "balance", "assumed": None, "why": "the probe is dead"}
    return {"field": field, "action": action, "need_mm": need_mm, "need_m3": need_m3, **figures, **changes}


def test_fields_that_need_nothing_soon_are_named_in_one_sentence_and_those_without_advice_with_the_reason() -> None:
    water = (
        _water("Dry", 14.0, 0.0),
        _water("Soon", 0.0, 2.9),
        _water("Wet", 0.0, 3.0),
        _water("Odd", 0.0, None),
        _water("Dead", None, None),
        _water("Shady", 0.0, None, rests_on="model", model_days=14.0),
    )
    shown = irrigation.content(replace(EMPTY, irrigation_this_week=water))
    assert [row["field"] for row in shown["rows"]] == ["Dry", "Odd", "Soon"]
    assert shown["later"] == ["Wet", "Shady"]
    assert [row["field"] for row in shown["unknown"]] == ["Dead"]
    assert (shown["thirsty"], shown["total_m3"], shown["fields"]) == (1, 140.0, 6)
    assert irrigation.lede(shown).startswith("1 of 6 fields needs water today, 140 m³ in all.")
