"""Says what holders and the authority's server write to each other: JSON over HTTPS, certificates and requests in it as PEM."""

from __future__ import annotations

from msgspec import Struct

ENROLL, RENEW, REVOKED = "/v1/enroll", "/v1/renew", "/v1/revoked"
MOST_BYTES = 16_384
"""Neither a message nor an answer is larger."""


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """`token` is empty where the certificate of the connection says who asks."""

    request: str
    token: str = ""


class Signed(Struct, frozen=True):
    """Holds the holder's certificate and the issuing one."""

    certificates: str


class Refusal(Struct, frozen=True):
    """`error` is one sentence."""

    error: str
