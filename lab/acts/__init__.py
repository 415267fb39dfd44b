"""Plays the two acts of the demo: a season of history, then real time with faults in it, and the reconciliation of both."""
