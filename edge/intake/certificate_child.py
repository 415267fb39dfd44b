"""Says from when to when a certificate is good, and ends: `python -P -m edge.intake.certificate_child FILE`.

It prints one JSON object {start, end}, in seconds since 1970, of the first certificate in the file; or one sentence on standard error, and
ends with 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    [file] = arguments
    try:
        certificate = x509.load_pem_x509_certificates(Path(file).read_bytes())[0]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    print(json.dumps(dict(zip(("start", "end"), (each.timestamp() for each in ends), strict=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
