"""Runs gateways beside one another: TinyBeam and what else one would take, on the same messages, windows and output."""
