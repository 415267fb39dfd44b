"""Computes from hourly site windows the water that a field needs, after FAO-56."""
