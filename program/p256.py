"""Tells keys on the curve P-256, the only ones that are used here, from all others."""

from __future__ import annotations

from typing import TypeGuard

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey


def is_private(key: object) -> TypeGuard[EllipticCurvePrivateKey]:
    return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)


def is_public(key: object) -> TypeGuard[EllipticCurvePublicKey]:
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
