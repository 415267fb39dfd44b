"""Simulates seasons, trains the soil moisture model on them and writes the page that judges it."""
