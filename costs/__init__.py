"""Estimates what a fleet costs a month: bytes by the gateway's own code, rows by the pipeline's, prices by a dated list."""
