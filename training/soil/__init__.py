"""Simulated seasons -> the soil moisture model and the page that judges it."""
