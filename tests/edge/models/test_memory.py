"""What features remember is kept by device, model and recipe; what earlier releases kept is taken over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.models.bundle import Bundle
from edge.models.memory import FeatureMemory, model_of
from edge.models.recipe import Recipe
from edge.reading import Reading
from edge.window import Window
from schemas.envelope import micros
from tests.edge.gateways import START
from tests.edge.releases.field import bundle
from tests.edge.sections import Memory


def window(number: int) -> Window:
    at = micros(START) + number * 10_000_000
    reading = Reading("d1", at + 1, at + 1, "synced", None, None, True, {"moisture": 0.3 - 0.01 * number})
    return Window("d1", at, 10, False, [reading])


def test_memory_of_an_earlier_release_is_taken_over() -> None:
    store = Memory()
    memory = FeatureMemory(store.section)
    memory.observe(bundle("one"), window(0))
    ((key, value),) = memory.section.items().items()
    older = Memory({"features/d1/soil": value})
    assert FeatureMemory(older.section).section.items() == {key: value}
    assert model_of(key) == "soil"


def test_two_recipes_and_a_shadow_remember_apart() -> None:
    memory, one, two = FeatureMemory(Memory().section), bundle("one"), bundle("two", hours=0.02)
    for number in range(2):
        memory.observe(one, window(number))
        memory.observe(two, window(number))
        memory.observe(one, window(number), shadow=True)
    assert len(memory.section.items()) == 3
    memory.keep_only("other", set())
    assert len(memory.section.items()) == 3
    memory.keep_only("soil", {(one.recipe.fingerprint, False)})
    assert list(memory.section.items()) == [f"d1/soil/{one.recipe.fingerprint.hex()}"]


def further(**changes: Any) -> Bundle:
    """The bundle "one" with another input, which is computed of what it remembers; `changes` are of the recipe."""
    steps = [
        {"name": "mean", "op": "ewma", "of": ["moisture"], "hours": 0.01},
        {"name": "fall", "op": "difference", "of": ["mean", "moisture"]},
    ]
    source = {"steps": steps, "inputs": ["mean", "fall"], "young_hours": 0.001, "gap_hours": 1, **changes}
    return replace(bundle("further"), recipe=Recipe.parse(source, ["moisture"]))


def test_a_successor_begins_with_what_the_model_before_remembers_where_both_remember_the_same() -> None:
    one, after = bundle("one"), further()
    memory, whole = FeatureMemory(Memory().section), FeatureMemory(Memory().section)
    for number in range(3):
        memory.observe(one, window(number))
        whole.observe(after, window(number))
    memory.inherit(after, one, window(3))
    assert memory.observe(after, window(3)).features == whole.observe(after, window(3)).features
    memory.inherit(after, one, window(4))
    assert memory.observe(after, window(4)).features == whole.observe(after, window(4)).features, "it has a memory of its own now"


@pytest.mark.parametrize("successor", [bundle("two", hours=0.02), further(gap_hours=2)])
def test_a_successor_that_remembers_something_else_begins_anew(successor: Bundle) -> None:
    one, memory = bundle("one"), FeatureMemory(Memory().section)
    memory.observe(one, window(0))
    memory.inherit(successor, one, window(1))
    assert len(memory.section.items()) == 1


def test_what_rotted_is_forgotten() -> None:
    memory = FeatureMemory(Memory({"features/d1/soil": b"rot"}).section)
    assert memory.section.items() == {}
