"""`python -m lab.attack.report` writes docs/security.md from the rows of attacks and from page.md; `--check` fails if it is stale.

The rows are those kept in lab/attack/results; `--take build/attack` puts those of another run there first.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from string import Template

from lab.attack import rows
from lab.attack.attackers import ATTACKERS
from lab.attack.rows import Row
from lab.attack.run import ROWS
from program.measured_page import MeasuredPage

ROOT = Path(__file__).parents[2]
RESULTS = Path("lab/attack/results")
PAGE = Path("docs/security.md")


def page(root: Path) -> str:
    """Renders the page: who attacks, what each tries, and what came of it in the last run."""
    kept = rows.summary(rows.read(root / RESULTS))
    return Template((root / "lab" / "attack" / "page.md").read_text()).substitute(
        attackers="\n".join(f"| {name} | {holds} |" for name, holds in ATTACKERS.items()),
        attacks="\n".join(map(_row, _by_attacker(kept.attacks))),
        controls="\n".join(f"- **{row.name}**: {row.control}" for row in _by_attacker(kept.attacks)),
        count=len(kept.attacks),
        attempts=f"{kept.attempts:,}",
        accepted=f"{kept.accepted:,}",
    )


def _by_attacker(attacks: Iterable[Row]) -> list[Row]:
    order = list(ATTACKERS)
    return sorted(attacks, key=lambda row: (order.index(row.attacker), row.name))


def _row(row: Row) -> str:
    file, _, test = row.test.partition("::")
    came = f"{row.outcome} ({row.accepted:,} of {row.attempts:,} accepted)"
    return f"| {row.attacker} | {row.attempt} | {came} | [{row.name}](../{file}) `{test}` |"


cli = MeasuredPage("lab.attack.report", PAGE, RESULTS, page, lambda run: sorted((run / ROWS).glob("*.json"))).cli(ROOT, __doc__)


if __name__ == "__main__":
    cli()
