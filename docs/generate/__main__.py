"""`python -m docs.generate` writes the generated pages of the reference; `--check` writes nothing and fails when they are stale."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.generate import metrics, views
from program.generated import GeneratedFiles

ROOT = Path(__file__).parents[2]


def pages() -> dict[Path, str]:
    """Every generated page by its path from the root of the repository."""
    return {Path("docs/metrics.md"): metrics.page()} | views.pages()


GENERATED = GeneratedFiles("docs.generate", pages, ("docs/views/*.md", "docs/queries/*.md"))

if __name__ == "__main__":
    sys.exit(GENERATED.main(ROOT, __doc__))
