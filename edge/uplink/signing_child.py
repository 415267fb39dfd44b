"""Agrees on the key by which batches are signed, and ends: `python -P -m edge.uplink.signing_child KEY PIPELINE_KEY GATEWAY_ID`.

It prints the key as one JSON object {hints, secret}, or one sentence on standard error and ends with 1. A process of its own: what agrees
takes 10 MB, is used once for each key, and cannot be unloaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.key_agreement import UnusableKey, of_gateway, private_keys, public_keys


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    own, pipeline, gateway_id = arguments
    try:
        # The first of several: the one that is in force.
        key = of_gateway(private_keys(Path(own).read_bytes())[0], public_keys(Path(pipeline).read_bytes())[0], gateway_id)
    except (UnusableKey, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"hints": key.hints.hex(), "secret": key.secret.hex()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
