"""A pipeline says that it is alive while its engine answers, and only then."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.liveness import watched


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_an_engine_that_answers_is_alive_until_the_pipeline_stops(manager: socket.socket) -> None:
    with watched(lambda: "RUNNING", every_seconds=0.01):
        assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    while (last := manager.recv(100)) == b"WATCHDOG=1":
        pass
    assert last == b"STOPPING=1"


def test_an_engine_that_hangs_is_not(manager: socket.socket) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def hangs() -> None:
        asked.set()
        let_go.wait(60)
        raise RuntimeError("gone")

    with watched(hangs, every_seconds=0.01):
        assert asked.wait(60)
    let_go.set()
    assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]


def test_an_engine_that_fails_to_answer_is_asked_again(manager: socket.socket) -> None:
    answers = iter([RuntimeError("not yet"), "RUNNING"])

    def state() -> object:
        answer = next(answers, "RUNNING")
        if isinstance(answer, Exception):
            raise answer
        return answer

    with watched(state, every_seconds=0.01):
        assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]


def test_what_fails_inside_is_told_as_it_is(manager: socket.socket) -> None:
    with pytest.raises(ValueError, match="inside"), watched(lambda: None):
        raise ValueError("inside")
    assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]
