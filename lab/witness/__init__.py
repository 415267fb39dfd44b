"""Measures from outside the system: bytes on the wire, what was acknowledged, what arrived, and the verdict."""
