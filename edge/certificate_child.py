"""Says from when to when a certificate is good, and ends: `python -P -m edge.certificate_child FILE`.

It prints one JSON object {start, end}, in seconds since 1970, of the first certificate in the file; or one sentence on standard error, and
ends with 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from keys.lifetime import Lifetime


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    [file] = arguments
    try:
        found = lifetime(Path(file))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"start": found.start.timestamp(), "end": found.end.timestamp()}))
    return 0


def lifetime(file: Path) -> Lifetime:
    """Returns that of the first certificate in a file. Raises OSError and ValueError."""
    own = x509.load_pem_x509_certificates(file.read_bytes())[0]
    return Lifetime(own.not_valid_before_utc, own.not_valid_after_utc)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
