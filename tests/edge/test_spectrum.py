"""Bands and levels of a frame: the energies are the signal's, whatever its shape, and a recipe that makes no sense is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.spectrum import FLOOR, Spectrum, time_domain_features, time_domain_units

EDGES = [0, 100, 500, 1500, 4000]
SOURCE: dict[str, Any] = {"channel": "acceleration", "rate_hz": 8000, "samples": 1024, "edges_hz": EDGES}
WHOLE = Spectrum.parse(SOURCE)


def sine(hertz: float, size: float, spectrum: Spectrum = WHOLE) -> Any:
    return size * np.sin(2 * np.pi * hertz * np.arange(spectrum.samples) / spectrum.rate_hz + 0.3)


def energies(frame: Any, spectrum: Spectrum = WHOLE) -> Any:
    return 10 ** spectrum.energies(frame)


SAMPLES = arrays(np.float32, 80, elements=st.floats(-(2.0**20), 2.0**20, width=32))


@given(SAMPLES, st.sampled_from([80, 79]), st.lists(st.integers(1, 38), max_size=4, unique=True))
def test_bands_over_all_frequencies_add_up_to_the_windowed_mean_square(samples: Any, count: int, inner: list[int]) -> None:
    frame = samples[:count].astype(float)
    # Every line but the first and the last may be an edge.
    edges = [0, *(line * 1000 / count for line in sorted(inner)), 500]
    spectrum = Spectrum.parse({"channel": "a", "rate_hz": 1000, "samples": count, "edges_hz": edges, "floor": 1e-30})
    window = np.hanning(count + 1)[:-1]
    wanted = ((frame - frame.mean()) ** 2 * window**2).sum() / (window**2).sum()
    assert energies(frame, spectrum).sum() == pytest.approx(wanted, rel=1e-9, abs=1e-25 + 1e-25 * float(np.abs(frame).max()) ** 2)


@given(st.integers(4, 500), st.floats(0.1, 100))
def test_a_tone_gives_its_mean_square_and_gives_it_to_its_own_band(line: int, size: float) -> None:
    hertz = line * WHOLE.rate_hz / WHOLE.samples
    found = energies(sine(hertz, size))
    assert found.sum() == pytest.approx(size**2 / 2, rel=1e-9)
    # A line of the Hann window leaks into its two neighbours and no further.
    near = [band for band in range(4) if EDGES[band] - 8 <= hertz <= EDGES[band + 1] + 8]
    assert found[near].sum() == pytest.approx(size**2 / 2, rel=1e-6)


def test_the_bands_of_noise_share_its_mean_square_by_their_width() -> None:
    noise = np.random.default_rng(7).normal(0, 3, (400, 1024))
    found = energies(noise).mean(axis=0)
    assert found.sum() == pytest.approx(9, rel=0.02)
    assert found / found.sum() == pytest.approx(np.diff(EDGES) / 4000, abs=0.01)


def test_many_frames_at_once_give_what_each_gives_alone() -> None:
    frames = np.random.default_rng(8).normal(size=(5, 1024)).astype(np.float32)
    assert WHOLE.energies(frames) == pytest.approx(np.array([WHOLE.energies(frame) for frame in frames]), rel=1e-12)


def test_an_offset_is_no_vibration() -> None:
    assert energies(sine(1000, 2.0) + 9.81) == pytest.approx(energies(sine(1000, 2.0)), rel=1e-6, abs=2 * FLOOR)
    assert time_domain_features("a", sine(1000, 2.0) + 9.81) == pytest.approx(time_domain_features("a", sine(1000, 2.0)), rel=1e-6)


def test_silence_is_the_floor() -> None:
    assert WHOLE.energies(np.zeros(1024, np.float32)).tolist() == [-12.0] * 4
    loud = replace(WHOLE, floor=100.0)
    assert loud.energies(np.zeros(1024, np.float32)).tolist() == [2.0] * 4
    assert energies(sine(250, 20.0), loud) == pytest.approx([100, 200, 100, 100])


def test_what_lies_outside_the_edges_is_in_no_band() -> None:
    spectrum = Spectrum.parse({**SOURCE, "edges_hz": [500, 1000, 2000]})
    assert energies(sine(3000, 5.0), spectrum) == pytest.approx([FLOOR] * 2, abs=1e-9)
    assert energies(sine(250, 5.0), spectrum) == pytest.approx([FLOOR] * 2, abs=1e-9)
    # A tone on an inner edge is one half and more the upper band's, on the last edge the last band's.
    assert energies(sine(1000, 2.0), spectrum) == pytest.approx([1 / 3, 5 / 3], rel=1e-6)
    assert energies(sine(2000, 2.0), spectrum)[1] == pytest.approx(5 / 3, rel=1e-6)


def test_levels_are_those_of_a_sine_of_noise_and_of_shocks() -> None:
    tone = time_domain_features("a", sine(129 * 8000 / 1024, 2.0))
    assert (tone["a_rms"], tone["a_kurtosis"]) == pytest.approx((2**0.5, 1.5), rel=1e-6)
    assert tone["a_peak"] == pytest.approx(2, rel=0.02)
    noise = time_domain_features("a", np.random.default_rng(9).normal(0, 3, 16384))
    assert (noise["a_rms"], noise["a_kurtosis"]) == pytest.approx((3, 3), rel=0.05)
    shocks = np.zeros(1000)
    shocks[::100] = 1.0
    assert time_domain_features("a", shocks)["a_kurtosis"] > 90


@given(st.floats(-(2.0**49), 2.0**49, width=32), st.integers(64, 200))
def test_a_frame_that_does_not_vary_has_no_kurtosis(value: float, count: int) -> None:
    assert time_domain_features("a", np.full(count, value, np.float32)) == {"a_rms": 0.0, "a_peak": 0.0}


@given(arrays(np.float32, 64, elements=st.floats(-(2.0**49), 2.0**49, width=32)))
def test_levels_are_finite_and_in_order(frame: Any) -> None:
    found = time_domain_features("a", frame)
    assert all(np.isfinite(list(found.values())))
    assert 0 <= found["a_rms"] <= found["a_peak"] * (1 + 1e-9)
    # The fourth moment of n numbers is at most n times, and never less than, the square of the second.
    assert 1 - 1e-9 <= found.get("a_kurtosis", 1.0) <= 64 * (1 + 1e-9)


def test_levels_have_units_and_bands_have_names() -> None:
    assert time_domain_units("a", "m/s2") == {"a_rms": "m/s2", "a_peak": "m/s2", "a_kurtosis": "1"}
    assert WHOLE.names == ("acceleration_band00", "acceleration_band01", "acceleration_band02", "acceleration_band03")


def test_only_frames_of_the_channel_rate_and_length_fit() -> None:
    assert WHOLE.fits("acceleration", 8000.0, 1024)
    assert [WHOLE.fits(*other) for other in (("x", 8000.0, 1024), ("acceleration", 8001.0, 1024), ("acceleration", 8000.0, 1023))] == [
        False
    ] * 3


def test_a_fingerprint_is_of_everything_that_changes_an_energy() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"edges_hz": [0, 101, 4000]},
        {"rate_hz": 8001},
        {"samples": 1000},
        {"floor": 1e-9},
        {"channel": "b"},
    ]
    assert len({Spectrum.parse({**SOURCE, **change}).fingerprint for change in changes}) == len(changes)
    assert Spectrum.parse(json.loads(json.dumps(SOURCE))).fingerprint == WHOLE.fingerprint


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"overlap": 0.5}, "nothing else"),
        ({"edges_hz": [100]}, "1 to 60 bands"),
        ({"edges_hz": [100, 50]}, "ascend"),
        ({"edges_hz": [100, 100]}, "ascend"),
        ({"edges_hz": [-1, 100]}, "between 0 and half"),
        ({"edges_hz": [0, 4001]}, "half of rate_hz, 4000"),
        ({"edges_hz": "0-100"}, "list of numbers"),
        ({"edges_hz": [0, True]}, "list of numbers"),
        ({"edges_hz": [0, float("nan")]}, "list of numbers"),
        ({"edges_hz": [0, 1, 2, 100]}, "band 1 is narrower than the lines"),
        ({"edges_hz": [n * 50 for n in range(62)]}, "1 to 60 bands"),
        ({"rate_hz": 0.5, "edges_hz": [0, 0.1]}, "rate_hz must be 1 to"),
        ({"rate_hz": "8000"}, "must be numbers"),
        ({"samples": 1024.0}, "whole number"),
        ({"samples": 32}, "samples must be 64 to 16384"),
        ({"floor": 0}, "floor > 0"),
        ({"channel": "a b"}, "not a name"),
        ({"channel": 7}, "not a name"),
    ],
)
def test_a_spectrum_that_makes_no_sense_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Spectrum.parse({**SOURCE, **changes})


@pytest.mark.parametrize("source", [None, [], {}, {"channel": "a"}])
def test_what_is_no_spectrum_at_all_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="needs channel, edges_hz, rate_hz, samples"):
        Spectrum.parse(source)
