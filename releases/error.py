"""Says what can be wrong with releases. Each is one sentence for a person, and holds no secret."""

from __future__ import annotations


class ReleaseError(Exception):
    """What was asked for cannot be done; the root of its kinds."""


class Unreachable(ReleaseError):
    """The source does not answer, or does not hold what it must: try again later."""


class Untrusted(ReleaseError):
    """What the source gave is not what the holders of the keys have signed, or is older than what was seen before."""


class Expired(ReleaseError):
    """What the source gave was signed, and holds no longer: nobody has published since, or somebody holds newer things back."""
