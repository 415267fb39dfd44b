"""Turns weights into a published model bundle: writes int8, packages, and holds the gate."""
