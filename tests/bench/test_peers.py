"""Peers: one that cannot be installed is named, and does not stop the others. They themselves run in `make bench` alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import peers
from bench.messages import ROWS_A_MINUTE, Workload


def test_a_peer_that_cannot_be_installed_is_a_figure_without_a_value(tmp_path):
    def make(folder: Path, name: str, log):
        raise peers.NotInstalled("no wheel for this Python")

    lines: list[str] = []
    figures = peers.peers(tmp_path / "load", peers.QUICK, lines.append, make)
    assert [(figure.value, figure.ratio) for figure in figures] == [(None, None)] * 3
    assert all("no wheel for this Python" in figure.name for figure in figures)
    assert any("left out" in line for line in lines)


def test_a_peer_that_gives_other_rows_has_no_speed(tmp_path):
    liar = tmp_path / "python"
    liar.write_text('#!/bin/sh\necho \'{"rows": 1, "windows": 1, "seconds": 0.1}\'\n')
    liar.chmod(0o755)
    with pytest.raises(peers.WrongAnswer, match="2000 rows"):
        peers._child(liar, peers.PEERS[0], Workload(tmp_path, ROWS_A_MINUTE, 500))()
