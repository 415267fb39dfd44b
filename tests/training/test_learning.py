"""What the field is to teach is settled before the warehouse is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click
import pytest

from training.learning import Field, Request, learn

REQUEST = Request(until=None, days=400, project="farm", current=Path("models/soil"), figures=None)


def never(_: Field) -> NoReturn:
    raise AssertionError("nothing may be taught")


def test_the_bundle_to_be_followed_is_not_written_over() -> None:
    with pytest.raises(click.UsageError, match="--output and --current are both"):
        learn(Path("models/../models/soil"), REQUEST, never)


def test_a_project_is_needed() -> None:
    with pytest.raises(click.UsageError, match="--project or GOOGLE_CLOUD_PROJECT"):
        learn(Path("build/soil"), replace(REQUEST, project=None), never)
