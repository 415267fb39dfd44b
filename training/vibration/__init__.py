"""Simulates machines, trains the bearing model on them and writes the page that judges it."""
