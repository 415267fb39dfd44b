"""What the field is to teach is settled before the warehouse is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner

from training.learning import Field, Request, learn
from training.options import of_model

REQUEST = Request(until=None, days=400, project="farm", current=Path("models/soil"), figures=None)


def never(_: Field) -> NoReturn:
    raise AssertionError("nothing may be taught")


def test_the_bundle_to_be_followed_is_not_written_over() -> None:
    with pytest.raises(click.UsageError, match="--output and --current are both"):
        learn(Path("models/../models/soil"), REQUEST, never)


def test_a_project_is_needed() -> None:
    with pytest.raises(click.UsageError, match="--project or GOOGLE_CLOUD_PROJECT"):
        learn(Path("build/soil"), replace(REQUEST, project=None), never)


def test_a_time_that_is_still_to_come_is_no_snapshot() -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
    with pytest.raises(click.UsageError, match="is still to come: what is learned until then could not be made again"):
        learn(Path("build/soil"), replace(REQUEST, until=tomorrow), never)


def test_a_bundle_to_be_followed_is_needed() -> None:
    with pytest.raises(click.UsageError, match="--current names the bundle to be followed: absent/manifest"):
        learn(Path("build/soil"), replace(REQUEST, current=Path("absent")), never)


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ([], "models/soil"),
        (["--from=warehouse"], "build/soil"),
        (["--output=here", "--from=warehouse"], "here"),
    ],
)
def test_a_successor_is_not_written_over_what_it_follows_unless_somebody_says_so(words: list[str], folder: str) -> None:
    @click.command()
    @of_model("soil", "a simulation", "the field")
    def shown(output: Path, **_: object) -> None:
        click.echo(output)

    assert CliRunner().invoke(shown, words).output == f"{folder}\n"
