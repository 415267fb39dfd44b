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
    said: dict[str, int] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout, 1):
            if line.endswith("\n"):
                kind, value = line.split()
                said[kind] = int(value)
            if number == after:
                child.kill()
    return said


def test_no_kill_loses_or_doubles_a_reading(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    path = tmp_path / "store.db"
    for number in range(KILLS):
        said = killed_run(path, number, chance.randint(1, 60))
        store = Store(path, "gw-1", 64 << 20)
        held = Counter(at for at, _, _ in store.replay())
        for batch in store.batches(0, 10**6):
            held.update(int(at) for at in batch.body.split())
        ledger = store.ledger()
        store.close()
        assert ledger.journaled >= said["reading"], f"seed {SEED}, kill {number}"
        assert ledger.cut >= said.get("batch", 0), f"seed {SEED}, kill {number}"
        assert held == Counter(range(1, ledger.journaled + 1)), f"seed {SEED}, kill {number}"
