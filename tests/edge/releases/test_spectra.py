"""Frames while a model takes over whose spectrum is another: each window is judged by the bands of the recipe that it began with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.gateway import Gateway
from edge.models.bundle import Bundle
from edge.models.running import Withheld, slots_of
from edge.models.slot import LoadedModel
from edge.store.store import Store
from schemas.envelope import micros
from tests.edge import autoencoder
from tests.edge.gateways import START, rows
from tests.edge.intake.formats.test_frames import SECOND, Within, frame, shaking_config


def successor(folder: Path) -> Bundle:
    """The same network on bands with another floor, as version 2."""
    recipe = autoencoder.manifest(autoencoder.model(5, 4), 4)["recipe"]
    spectrum = autoencoder.SPECTRUM | {"floor": 1e-9}
    return autoencoder.bundle(folder, version="2", recipe=recipe | {"spectrum": spectrum})


def judged(folder: Path, swap_after: int | None, *, keep_both: bool = True) -> dict[int, tuple[str, Any]]:
    """Version and features of each window, by the second at which it begins; frames come each second for 40 s."""
    settings, first = shaking_config(folder), autoencoder.bundle(folder / "shaking")
    slots = slots_of({"shaking": first}, Within(first))
    store = Store(settings.store_file, "gw-1", 64 << 20)
    gateway = Gateway(settings, store, START, slots=slots)
    for seq in range(40):
        now = START + seq * SECOND
        if seq == swap_after:
            second = successor(folder / "second")
            slots["shaking"].put_in_force(LoadedModel(second, Within(second)), micros(START + 20 * SECOND))
            if not keep_both:
                slots["shaking"].end_trial()
            gateway.models_changed(Withheld())
        gateway.accept([frame(seq, seq)], now)
        gateway.tick(now)
    gateway.flush(START + 100 * SECOND)
    found = {round((row["window_start"] - START) / SECOND): (row["model_version"], row["features"]) for row in rows(store, "inferences")}
    store.close()
    return found


def test_open_windows_keep_the_bands_of_their_recipe(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before, swapped = judged(tmp_path / "a", None), judged(tmp_path / "b", 14)
    assert {at: version for at, (version, _) in swapped.items()} == {0: "1", 10: "1", 20: "2", 30: "2"}
    assert [swapped[at] for at in (0, 10)] == [before[at] for at in (0, 10)]
    assert [swapped[at][1] for at in (20, 30)] == [before[at][1] for at in (20, 30)]


def test_with_the_new_recipe_alone_they_would_have_half_of_their_bands(tmp_path: Path) -> None:
    """The negative control: the window at 10 s is then judged by the frames that came after the swap."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before, swapped = judged(tmp_path / "a", None), judged(tmp_path / "b", 14, keep_both=False)
    assert swapped[10][1] != before[10][1]
