"""Metrics in Prometheus' text: what is written, and who is answered."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request

import pytest

from lab.services.child import free_port
from program.exposition import family, served
from program.settings import ConfigError


def test_labels_that_others_choose_stay_labels() -> None:
    [_, _, line] = family("a_total", "counter", "What", [({"name": 'x"} 1\nb_total{y="\\'}, 3)])
    assert line == 'a_total{name="x\\"} 1\\nb_total{y=\\"\\\\"} 3\n'


def test_it_is_served_until_the_block_ends() -> None:
    port = free_port()
    with served("metrics.port", port, lambda: "a 1\n"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert (answer.read(), answer.headers["Content-Type"]) == (b"a 1\n", "text/plain; version=0.0.4; charset=utf-8")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)


def test_a_port_that_somebody_has_is_an_error_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"metrics.port {port}: "), served("metrics.port", port, str):
            raise AssertionError("it listens")


def test_port_0_serves_nothing() -> None:
    before = threading.active_count()
    with served("metrics.port", 0, str):
        assert threading.active_count() == before
