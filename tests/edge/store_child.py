"""A process to be killed: appends and cuts without end and prints each reading and batch once the store has returned."""

import random
import sys
from pathlib import Path

from edge.store.store import Entry, JournalMark, Store
from tests.edge.encoded import NOW, encoded


def main(path: str, seed: str) -> None:
    rng = random.Random(int(seed))
    store = Store(Path(path), "gw-1", 64 << 20)
    while True:
        ids = store.append([Entry(10, rng.randbytes(rng.randint(1, 3000))) for _ in range(rng.randint(1, 50))])
        print("reading", ids[-1], flush=True)
        if rng.random() < 0.3:
            journal = " ".join(str(at) for at, _, _ in store.replay())
            (envelope,) = store.cut([encoded(body=journal.encode())], NOW, closed=JournalMark(10, ids[-1]))
            print("batch", envelope.seq, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
