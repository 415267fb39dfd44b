"""Simulated machines -> the bearing model and the page that judges it."""
