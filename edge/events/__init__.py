"""Readings and inferences -> events, where a threshold is crossed or a label changes. Pure."""
