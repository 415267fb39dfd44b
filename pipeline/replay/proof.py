"""Lets a message that was set aside come in only if its gateway has signed it as it came, whatever a fix makes of it then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.authenticate import Authenticator
from pipeline.elements import ReceivedMessage
from pipeline.refused import STAGES
from pipeline.replay.elements import Left, SetAside
from pipeline.replay.recover import Fix
from schemas.registry import OfRegistry


@dataclass(frozen=True)
class Proof:
    """Is a fix: it looks at the signature of a message, then does what another fix does. Rows are of messages that were believed."""

    authenticator: OfRegistry[Authenticator]
    fix: Fix | None

    def __call__(self, reject: SetAside) -> Iterator[SetAside | Left]:
        message = ReceivedMessage(reject.attributes, reject.body, reject.received_time)
        if reject.stage in STAGES and (fault := self.authenticator.current().bars(message)):
            yield Left(reject.reject_id, f"still {fault}")
        else:
            yield from self.fix(reject) if self.fix else (reject,)
