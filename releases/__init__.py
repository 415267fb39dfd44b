"""Takes models to gateways: signed releases, which gateways run one, and whether it goes on to more."""

import sys

# securesystemslib imports the client of Google's key service wherever it is installed, two thirds of a command's start; our keys are files.
sys.modules.setdefault("google.cloud.kms", None)  # type: ignore[arg-type]
