"""Frames through the gateway: from a payload to summaries, inferences and events, whatever is sent and whatever dies when."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.config import Config
from edge.frame import Header, encode
from edge.gateway import Gateway, MqttMessage
from edge.intake.inbox import Inbox
from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.bundles import bundles_of
from edge.models.model import Model
from edge.models.process_scorer import ProcessScorer
from edge.models.running import slots_of
from edge.models.scorer import Score, Scorer
from edge.reading import Bands, Reading
from edge.store.section import Section
from edge.store.store import Store
from tests.edge import autoencoder
from tests.edge.gateways import START, config, message, rows
from tests.edge.test_frame import BAD

ROOT = Path(__file__).parents[4]
SECOND = timedelta(seconds=1)
RATE, COUNT = float(autoencoder.SPECTRUM["rate_hz"]), int(autoencoder.SPECTRUM["samples"])
QUIET, WORN, FAILING = 0.0, 0.2, 1.0
"""Sizes of a tone in the last band, which the model cannot say; their labels are normal, worn and failing."""


def machines() -> list[dict[str, Any]]:
    """Two classes: one with frames and a model, and one without either."""
    machine = {
        "name": "machine",
        "devices": ["m*"],
        "frames": {"shake": "m/s2"},
        "model": "shaking",
        "thresholds": [{"name": "rough", "channel": "shake_rms", "above": 0.5, "severity": "critical"}],
    }
    return [machine, {"name": "soil", "devices": ["d*"], "channels": {"moisture": "m3/m3"}}]


def plain() -> dict[str, Any]:
    """The class with frames, without a model."""
    return {name: value for name, value in machines()[0].items() if name != "model"}


def shaking_config(directory: Path) -> Config:
    models = [{"name": "shaking", "bundle": str(directory / "shaking")}]
    return config(directory, sensors=machines(), models=models, batches={"seconds": 20})


def samples(seq: int, tone: float, count: int = COUNT) -> Any:
    noise = np.random.default_rng(seq).normal(0, 0.02, count)
    return noise + tone * np.sin(2 * np.pi * 400 * np.arange(count) / RATE)


def frame(seq: int, at: float, tone: float = QUIET, *, device: str = "m1", count: int = COUNT, **changed: Any) -> MqttMessage:
    header: dict[str, Any] = {"channel": "shake", "rate_hz": RATE, "time": START.timestamp() + at, "seq": seq, "boot": "b", **changed}
    return MqttMessage(f"sensors/{device}/readings", encode(Header(**header), samples(seq, tone, count)))


def redelivered(message: MqttMessage) -> MqttMessage:
    """As the broker delivers it when it saw no acknowledgement."""
    return MqttMessage(message.topic, message.payload, dup=True)


class Within:
    """The real model, without a process of its own."""

    runtime = "within"

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._model = bundle, Model(bundle.runnable(), tflite.load())

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        assert name == self._bundle.name
        found = self._model.run(np.array(features)) if features else []
        return [Score(self._bundle.label(float(score)), float(score), float(high - low)) for low, score, high in found]


class Place:
    """A store and the gateway on it, which can be dropped and taken up again."""

    def __init__(self, directory: Path, scorer: Scorer | None = None) -> None:
        self.config, self.bundle = shaking_config(directory), autoencoder.bundle(directory / "shaking")
        self.scorer = scorer or Within(self.bundle)
        self.open(START)

    def open(self, now: Any) -> None:
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.gateway = Gateway(self.config, self.store, now, slots=slots_of({"shaking": self.bundle}, self.scorer))

    def reopen(self, now: Any) -> None:
        self.store.close()
        self.open(now)


@pytest.fixture
def place(tmp_path: Path) -> Any:
    place = Place(tmp_path)
    yield place
    place.store.close()


def summarised(store: Store) -> list[tuple[Any, ...]]:
    names = ("device_id", "channel", "unit", "window_start", "count", "sum", "min", "max", "seq_ranges")
    return sorted(tuple(str(row[name]) for name in names) for row in rows(store, "summaries"))


def inferred(store: Store) -> list[tuple[Any, ...]]:
    names = ("device_id", "window_start", "label", "score", "uncertainty", "features")
    return sorted(tuple(str(row[name]) for name in names) for row in rows(store, "inferences"))


def raised(store: Store) -> list[tuple[Any, ...]]:
    names = ("cause", "device_id", "event_time", "previous_state", "state", "severity")
    return sorted(tuple(str(row[name]) for name in names) for row in rows(store, "events"))


def test_frames_become_summaries_of_features_inferences_of_bands_and_events(tmp_path: Path) -> None:
    bundle = autoencoder.bundle(tmp_path / "shaking")
    with ProcessScorer([bundle]) as scorer:
        place = Place(tmp_path, scorer)
        for seq, (at, tone) in enumerate([(1, QUIET), (4, QUIET), (11, FAILING), (14, FAILING), (21, QUIET)], 1):
            place.gateway.accept([frame(seq, at, tone)], START + at * SECOND)
        place.gateway.flush(START + 60 * SECOND)
    summaries = rows(place.store, "summaries")
    features = {(row["channel"], row["unit"]) for row in summaries}
    assert features == {("shake_rms", "m/s2"), ("shake_peak", "m/s2"), ("shake_kurtosis", "1")}
    rms = [(row["count"], row["sum"] / row["count"], row["seq_ranges"]) for row in summaries if row["channel"] == "shake_rms"]
    assert [(count, ranges) for count, _, ranges in rms] == [(2, [1, 2]), (2, [3, 4]), (1, [5, 5])]
    assert [mean for _, mean, _ in rms] == pytest.approx([0.02, 0.5**0.5, 0.02], rel=0.05)
    assert {row["clock_offset_ms"] for row in summaries} == {0.0}
    inferences = rows(place.store, "inferences")
    assert [row["label"] for row in inferences] == ["normal", "failing", "normal"]
    assert all((row["model"], len(row["features"])) == ("shaking", 5) for row in inferences)
    assert inferences[1]["features"][4] == pytest.approx(np.log10(0.5), abs=0.05)
    events = rows(place.store, "events")
    assert [(row["rule"], row["previous_state"], row["state"], row["severity"]) for row in events if row["cause"] == "label"] == [
        ("shaking", None, "failing", "critical"),
        ("shaking", "failing", "normal", "info"),
    ]
    assert [(row["rule"], row["state"]) for row in events if row["cause"] == "threshold"] == [("rough", "high"), ("rough", "normal")]
    place.store.close()


def test_two_models_of_different_kinds_share_a_gateway(tmp_path: Path) -> None:
    soil, shaking = Bundle.load(ROOT / "models" / "soil"), autoencoder.bundle(tmp_path / "shaking")
    fields = {"name": "soil", "devices": ["d*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}, "model": "soil"}
    models = [{"name": "soil", "bundle": str(soil.path)}, {"name": "shaking", "bundle": str(shaking.path)}]
    both = config(tmp_path, sensors=[machines()[0], fields], models=models, windows={"seconds": 3600})
    store = Store(both.store_file, "gw-1", 64 << 20)
    with ProcessScorer([soil, shaking]) as scorer:
        gateway = Gateway(both, store, START, slots=slots_of(bundles_of(both), scorer))
        for hour in range(26):
            now = START + timedelta(hours=hour)
            values = {"moisture": 0.3 - hour / 1000, "temperature": 15.0}
            reading = {"time": now.timestamp(), "seq": hour, "values": values}
            gateway.accept([frame(hour, hour * 3600), message("d1", reading)], now)
            gateway.tick(now)
        gateway.flush(START + timedelta(hours=27))
        found = Counter((row["device_id"], row["model"], len(row["features"])) for row in rows(store, "inferences"))
        assert scorer.restarts == {"soil": 0, "shaking": 0}
    assert found == {("m1", "shaking", 5): 26, ("d1", "soil", 20): 3}
    store.close()


FRAMES = st.lists(st.tuples(st.sampled_from(["m1", "m2"]), st.integers(-15, 3), st.sampled_from([QUIET, WORN, FAILING])), max_size=4)
STEPS = st.lists(st.one_of(st.tuples(st.just("accept"), FRAMES), st.tuples(st.just("tick"), st.integers(0, 15))), max_size=12)


def play(place: Place, steps: Sequence[tuple[str, Any]], deaths: frozenset[int]) -> None:
    """After the steps in `deaths` the process dies, and the broker delivers the step's messages again."""
    now, seq = START, 0
    for number, (kind, what) in enumerate(steps):
        items = []
        for device, offset, tone in what if kind == "accept" else ():
            seq += 1
            items.append(frame(seq, (now - START).total_seconds() + offset, tone, device=device))
        if kind == "tick":
            now += what * SECOND
            place.gateway.tick(now)
        place.gateway.accept(items, now)
        if number in deaths:
            place.reopen(now)
            place.gateway.accept([redelivered(one) for one in items], now)
    place.gateway.flush(now + 3600 * SECOND)


@hypothesis_settings(max_examples=40, deadline=None)
@given(STEPS, st.sets(st.integers(0, 11), min_size=1))
def test_a_restart_at_any_step_changes_neither_summaries_nor_inferences_nor_events(steps: list[Any], deaths: set[int]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        calm, mortal = Place(Path(one)), Place(Path(other))
        play(calm, steps, frozenset())
        play(mortal, steps, frozenset(deaths))
        assert merged(mortal.store) == merged(calm.store)
        assert inferred(mortal.store) == inferred(calm.store)
        assert raised(mortal.store) == raised(calm.store)
        calm.store.close()
        mortal.store.close()


def merged(store: Store) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Counts, extremes and sequence numbers of each window, from however many partial summaries."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows(store, "summaries"):
        key = row["device_id"], row["channel"], row["window_start"]
        count, low, high, seqs = found.get(key, (0, np.inf, -np.inf, frozenset()))
        ranges = row["seq_ranges"]
        more = {seq for first, last in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, last + 1)}
        found[key] = count + row["count"], min(low, row["min"]), max(high, row["max"]), seqs | more
    return found


@pytest.mark.parametrize("changed", [{"rate_hz": RATE + 1}, {"count": COUNT + 1}])
def test_a_frame_that_the_model_does_not_take_is_summarised_and_said_once(
    place: Place, caplog: pytest.LogCaptureFixture, changed: dict[str, Any]
) -> None:
    place.gateway.accept([frame(seq, seq, **changed) for seq in (1, 2)], START + 2 * SECOND)
    place.gateway.accept([frame(3, 11)], START + 11 * SECOND)
    place.gateway.flush(START + 60 * SECOND)
    assert [row["count"] for row in rows(place.store, "summaries") if row["channel"] == "shake_rms"] == [2, 1]
    assert [len(row["features"]) for row in rows(place.store, "inferences")] == [5]
    assert place.store.ledger().counters["frames_unfit"] == 2
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("m1 sends frames of 25")
    assert warning.endswith("model shaking wants 256 at 1000 Hz: they are summarised, not scored")


def test_a_class_without_a_model_summarises_its_frames(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    gateway = Gateway(config(tmp_path, sensors=[plain()]), store, START)
    gateway.accept([frame(1, 1)], START + SECOND)
    gateway.flush(START + 60 * SECOND)
    assert [row["channel"] for row in rows(store, "summaries")] == ["shake_kurtosis", "shake_peak", "shake_rms"]
    store.close()


def test_frames_of_three_channels_and_readings_of_one_device_share_a_window(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    sensors = [{**plain(), "channels": {"warmth": "degC"}, "frames": {"shake": "m/s2", "y": "g"}}]
    gateway = Gateway(config(tmp_path, sensors=sensors), store, START)
    gateway.accept([frame(1, 1), frame(1, 1, channel="y"), message("m1", {"seq": 1, "values": {"warmth": 20}})], START + SECOND)
    gateway.flush(START + 60 * SECOND)
    units = {row["channel"]: row["unit"] for row in rows(store, "summaries")}
    assert units == {"shake_rms": "m/s2", "shake_peak": "m/s2", "shake_kurtosis": "1"} | {
        "y_rms": "g",
        "y_peak": "g",
        "y_kurtosis": "1",
        "warmth": "degC",
    }
    store.close()


def test_a_frame_delivered_again_is_recognised_also_after_a_restart(place: Place) -> None:
    place.gateway.accept([frame(1, 1), frame(1, 1)], START + SECOND)
    place.reopen(START + SECOND)
    place.gateway.accept([redelivered(frame(1, 1))], START + SECOND)
    assert place.store.ledger().journaled == 1


def test_energies_of_another_recipe_are_not_scored(place: Place) -> None:
    place.gateway.accept([frame(1, 1)], START + SECOND)
    recipe = place.bundle.recipe
    assert recipe.spectrum is not None
    other = replace(recipe.spectrum, edges_hz=(0.0, 60.0, 100.0, 200.0, 300.0, 500.0))
    place.bundle = replace(place.bundle, recipe=replace(recipe, spectrum=other))
    place.reopen(START + SECOND)
    place.gateway.accept([redelivered(frame(1, 1)), frame(2, 11)], START + 11 * SECOND)
    place.gateway.flush(START + 60 * SECOND)
    assert [row["count"] for row in rows(place.store, "summaries") if row["channel"] == "shake_rms"] == [1, 1]
    assert [row["window_start"] for row in rows(place.store, "inferences")] == [START + 10 * SECOND]


@pytest.mark.parametrize(
    ("body", "reason"),
    [pytest.param(*one, id=str(number)) for number, one in enumerate(BAD) if one[0].startswith(b"TBF1")]
    + [
        (frame(1, 1, channel="y").payload, "no_frame_channel"),
        (frame(1, 1, device="m1").payload.replace(b'"boot":"b"', b'"boot":"/"'), "wrong_type"),
        (frame(1, 1000).payload, "time_future"),
        (frame(1, -1e9).payload, "time_past"),
    ],
)
def test_what_is_no_frame_is_set_aside_whole_with_its_reason(place: Place, body: bytes, reason: str) -> None:
    place.gateway.accept([MqttMessage("sensors/m1/readings", body), frame(2, 1)], START + SECOND)
    (reject,) = rows(place.store, "rejects")
    if len(body) > 65_536:
        assert (reject["reason"], reject["payloadBytes"]) == ("oversized", body[:65_536])
    else:
        assert (reject["reason"], reject["payloadBytes"], reject["device_id"]) == (reason, body, "m1")
    assert (reject["stage"], place.store.ledger().journaled) == ("edge.intake", 1)


def test_a_frame_that_says_it_is_another_devices_is_set_aside(place: Place) -> None:
    body = frame(1, 1).payload
    header = body[6 : 6 + struct.unpack_from("<H", body, 4)[0]][:-1] + b',"device":"m2"}'
    place.gateway.accept([MqttMessage("sensors/m1/readings", b"TBF1" + struct.pack("<H", len(header)) + header + bytes(256))], START)
    assert [row["reason"] for row in rows(place.store, "rejects")] == ["bad_device"]


def test_a_frame_of_a_class_without_frames_is_set_aside(place: Place) -> None:
    place.gateway.accept([frame(1, 1, device="d1")], START + SECOND)
    (reject,) = rows(place.store, "rejects")
    assert (reject["reason"], reject["device_id"]) == ("no_frame_channel", "d1")
    assert "'soil'" in reject["errorMessage"]


DAMAGE = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 7), st.integers(0, 2000)), min_size=1, max_size=5)


@hypothesis_settings(deadline=None)
@given(DAMAGE, st.binary(max_size=6))
def test_damaged_frames_become_readings_or_rejects_and_none_is_lost(damage: list[tuple[int, int, int]], tail: bytes) -> None:
    inbox = Inbox(config(ROOT, sensors=[plain()]), [], Section)
    messages = []
    for seq, (at, bit, end) in enumerate(damage):
        body = bytearray(frame(seq, 1).payload)
        body[at % len(body)] ^= 1 << bit
        messages.append(MqttMessage("sensors/m1/readings", bytes(body[: end or None]) + tail))
    inbox.receive(messages, START + SECOND, "synced")
    assert len(inbox.readings) + len(inbox.rejected) + inbox.counted["readings_repeated"] == len(messages)
    bodies = [one.payload for one in messages]
    assert all(rejected.body in bodies for rejected in inbox.rejected)
    assert all(np.isfinite(list(keyed.reading.values.values())).all() for keyed in inbox.readings)


def test_a_reading_of_before_there_were_frames_is_still_read_from_the_journal() -> None:
    reading = Reading("d1", 5, 6, "synced", None, 1, True, {"moisture": 0.3})
    older = msgspec.msgpack.encode(msgspec.structs.astuple(reading)[:-1])
    assert msgspec.msgpack.decode(older, type=Reading) == reading
    newer = msgspec.structs.replace(reading, bands=Bands("f" * 16, (-3.0, 0.5)))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(newer), type=Reading) == newer


@pytest.mark.parametrize(("frames", "loaded"), [({}, False), ({"shake": "m/s2"}, True)])
def test_only_a_gateway_with_frames_loads_numpy_and_it_does_so_before_the_first_frame(
    tmp_path: Path, frames: dict[str, str], loaded: bool
) -> None:
    code = f"""if True:
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        import edge.run
        from edge.gateway import Gateway, MqttMessage
        from edge.store.store import Store
        from edge.config import parse
        sensors = [{{"name": "m", "devices": ["m*"], "channels": {{"warmth": "degC"}}, "frames": {frames!r}}}]
        folder, start = Path({str(tmp_path)!r}), datetime.now(UTC)
        uplink = {{"kind": "pubsub", "topic": "projects/demo-project/topics/telemetry"}}
        config = parse({{"gateway": {{"id": "g", "state_dir": "."}}, "uplink": uplink, "sensors": sensors}}, folder / "gateway.toml")
        before = "numpy" in sys.modules
        gateway = Gateway(config, Store(folder / "store.db", "g", 64 << 20), start)
        print(before, "numpy" in sys.modules)
        header = b'{{"channel": "shake", "rate_hz": 1000}}'
        gateway.accept([MqttMessage("sensors/m1/readings", b"TBF1" + bytes([len(header), 0]) + header + bytes(256))], start)
        gateway.accept([MqttMessage("sensors/m1/readings", b'{{"values": {{"warmth": 20}}}}')], start)
        print("numpy" in sys.modules)
    """
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["False", str(loaded), str(loaded)], result.stderr
