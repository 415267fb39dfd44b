"""Writes the report of the demo: the page, its charts and sentences, and the results."""
