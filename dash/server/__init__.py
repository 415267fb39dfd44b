"""Serves the pages: who looks, what they asked for, and what goes back over the wire."""
