"""Signs a hash by the gateway's key, and ends: `python -P -m edge.uplink.attesting_child KEY SHA256`.

It prints the ECDSA signature in base64, or one sentence on standard error and ends with 1. A process of its own, as that which agrees on
keys (edge.uplink.signing_child).
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from schemas.key_agreement import UnusableKey, private_keys


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    file, digest = arguments
    try:
        key = private_keys(Path(file).read_bytes())[0]
    except (UnusableKey, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(base64.b64encode(key.sign(bytes.fromhex(digest), ECDSA(Prehashed(SHA256())))).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
