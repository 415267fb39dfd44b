"""Store, sender and a Pub/Sub in memory on one clock that nobody waits for."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from edge.store.store import Store
from edge.uplink.allowance import SECTION, Allowance
from edge.uplink.limits import Limits
from edge.uplink.pubsub_wire import wire
from edge.uplink.sender import Sender
from edge.uplink.signer import unsigned
from program.backoff import Backoff
from tests.edge.encoded import NOW, encoded
from tests.edge.pubsub_twin import PubSubTwin

WIRE = wire("projects/p/topics/t")


class World:
    """Store, sender and twin on one clock that nobody waits for. A world with another `SENDER` shows what tests see of that one."""

    SENDER: type[Sender] = Sender

    def __init__(self, store: Store, twin: PubSubTwin, rng: Random | None = None, limits: Limits | None = None) -> None:
        self.store, self.twin, self.now = store, twin, 0.0
        self.rng, self.limits = rng or Random(1), limits or Limits()
        self.jump = timedelta()
        """What the wall clock is wrong by."""
        self.restart()

    def restart(self) -> None:
        """Begins anew from the store, as after the process died. Its monotonic seconds go on: nothing of them is kept."""
        section = self.store.section(SECTION)
        allowance = Allowance(self.limits, WIRE, section, lambda: NOW + timedelta(seconds=self.now) + self.jump)
        self.sender = self.SENDER(self.store, self.twin, unsigned, backoff=Backoff(), rng=self.rng, wake=lambda: None, allowance=allowance)

    def run(self, until: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Turns until the time has come or `stop` says so; between turns only what is due happens."""
        while self.now < until:
            due = self.now + self.sender.turn(self.now)
            if stop():
                return
            self.now = min(until, max(min(due, self.twin.next_answer()), self.now + 0.001))
            self.twin.advance(self.now)

    def drained(self) -> bool:
        return not self.store.pending(1)


def cut(store: Store, *kinds: str) -> list[str]:
    return [envelope.batch_id for envelope in store.cut([encoded(kind, kind.encode()) for kind in kinds], NOW)]
