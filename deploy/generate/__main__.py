"""`python -m deploy.generate` writes what Terraform reads of tables, views and functions, and the dashboards of Grafana.

`--check` writes nothing and fails when that is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.generate import grafana, objects, tables
from program.generated import GeneratedFiles

ROOT = Path(__file__).parents[2]
_MODULE = Path("deploy/terraform/modules/warehouse")
_GRAFANA = Path("deploy/grafana")


def files() -> dict[Path, str]:
    """Returns the text of every generated file by its path from the root of the repository."""
    described = {_MODULE / "tables" / f"{each['name']}.json": _text(each) for each in tables.described()}
    described |= {_MODULE / "objects" / f"{each['name']}.json": _text(each) for each in objects.described()}
    return described | {_GRAFANA / f"{name}.json": _text(page) for name, page in grafana.dashboards().items()}


def _text(described: Mapping[str, Any]) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


GENERATED = GeneratedFiles("deploy.generate", files, (f"{_MODULE}/tables/*.json", f"{_MODULE}/objects/*.json", f"{_GRAFANA}/*.json"))

if __name__ == "__main__":
    sys.exit(GENERATED.main(ROOT, __doc__))
