"""Reads what models were trained on from the manifests of their bundles, and brings it to the warehouse, each model once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from google.cloud import bigquery

from schemas.records import TABLES, ModelReference
from schemas.warehouse import DATASET
from sql.insertion import insert

MANIFEST = "manifest.json"


class NoReference(ValueError):
    """A bundle has no reference that can be read; the text names it and says why."""


def references(bundle: Path, now: datetime) -> list[ModelReference]:
    """Reads the references of a bundle's inputs. Raises NoReference."""
    file = bundle / MANIFEST
    try:
        return list(_references(json.loads(file.read_bytes()), now))
    except OSError as error:
        raise NoReference(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoReference(f"{file} has no reference of its inputs: train it anew, or leave it out") from error


def add(client: bigquery.Client, rows: list[ModelReference]) -> bool:
    """Adds the references of one model, unless they are there. Returns whether it did. Raises GoogleAPICallError."""
    sha256 = bigquery.ScalarQueryParameter("sha256", "STRING", rows[0].model_sha256)
    there = client.query_and_wait(
        f"select count(*) as inputs from {DATASET}.{TABLES[ModelReference].name} where model_sha256 = @sha256",
        job_config=bigquery.QueryJobConfig(query_parameters=[sha256]),
    )
    if next(iter(there))["inputs"]:
        return False
    insert(client, rows)
    return True


def _references(manifest: dict[str, object], now: datetime) -> Iterator[ModelReference]:
    recipe, reference = manifest["recipe"], manifest["reference"]
    pairs = zip(recipe["inputs"], reference["quantiles"], strict=True)  # type: ignore[index]
    for position, (name, quantiles) in enumerate(pairs):
        yield ModelReference(
            model=str(manifest["name"]),
            model_version=str(manifest["version"]),
            model_sha256=str(manifest["sha256"]),
            input=str(name),
            position=position,
            quantiles=tuple(map(float, quantiles)),
            added_time=now,
        )
