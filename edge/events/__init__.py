"""Raises events from readings and inferences, where a threshold is crossed or a label changes. Pure."""
