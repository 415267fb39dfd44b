"""Says whether certificates are signed one by the other, up to an authority that is trusted."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature


def is_signed(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> bool:
    """Says whether the last of a chain, each signed by the one after it, is signed by an authority."""
    last = chain[0]
    for each in chain[1:]:
        if not _signs(each, last):
            return False
        last = each
    return last in authorities or any(_signs(authority, last) for authority in authorities)


def _signs(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
