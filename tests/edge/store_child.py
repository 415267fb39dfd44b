"""A process to be killed: appends and cuts without end and prints each reading and batch once the store has returned."""

import random
import sys
from pathlib import Path

from edge.store.store import Closed, Entry, Store
from tests.edge.parcels import NOW, parcel


def main(path: str, seed: str) -> None:
    chance = random.Random(int(seed))
    store = Store(Path(path), "gw-1", 64 << 20)
    while True:
        ids = store.append([Entry(10, chance.randbytes(chance.randint(1, 3000))) for _ in range(chance.randint(1, 50))])
        print("reading", ids[-1], flush=True)
        if chance.random() < 0.3:
            held = " ".join(str(at) for at, _, _ in store.replay())
            (envelope,) = store.cut([parcel(body=held.encode())], NOW, closed=Closed(10, ids[-1]))
            print("batch", envelope.seq, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
