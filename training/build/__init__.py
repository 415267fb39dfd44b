"""Weights -> a published model bundle: int8 writer, package, gate."""
