"""What features remember is kept by device, model and recipe; what earlier releases kept is taken over."""

from __future__ import annotations

from edge.models.memory import FeatureMemory, model_of
from edge.reading import Reading
from edge.window import Window
from schemas.envelope import micros
from tests.edge.gateways import START
from tests.edge.releases.field import bundle
from tests.edge.sections import Memory


def window(number: int) -> Window:
    at = micros(START) + number * 10_000_000
    reading = Reading("d1", at + 1, at + 1, "synced", None, None, True, {"moisture": 0.3})
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


def test_what_rotted_is_forgotten() -> None:
    memory = FeatureMemory(Memory({"features/d1/soil": b"rot"}).section)
    assert memory.section.items() == {}
