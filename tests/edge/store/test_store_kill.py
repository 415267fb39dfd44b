"""What the store returned is there after kill -9 at any instant, once."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from edge.store.store import Store

KILLS = 15
SEED = 20260501
ROOT = Path(__file__).parents[3]


def killed_run(path: Path, seed: int, after: int) -> dict[str, int]:
    """Lets a child work until it has printed so many lines, kills it, and returns the last number of each kind it had printed."""
    command = [sys.executable, "-m", "tests.edge.store_child", str(path), str(seed)]
    printed: dict[str, int] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout, 1):
            if line.endswith("\n"):
                kind, value = line.split()
                printed[kind] = int(value)
            if number == after:
                child.kill()
    return printed


def test_no_kill_loses_or_doubles_a_reading(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    path = tmp_path / "store.db"
    for number in range(KILLS):
        printed = killed_run(path, number, rng.randint(1, 60))
        store = Store(path, "gw-1", 64 << 20)
        found = Counter(at for at, _, _ in store.replay())
        for batch in store.batches(0, 10**6):
            found.update(int(at) for at in batch.body.split())
        ledger = store.ledger()
        store.close()
        assert ledger.journaled >= printed["reading"], f"seed {SEED}, kill {number}"
        assert ledger.cut >= printed.get("batch", 0), f"seed {SEED}, kill {number}"
        assert found == Counter(range(1, ledger.journaled + 1)), f"seed {SEED}, kill {number}"
