"""Turns the broker's messages into readings and rejects, each once. Nothing is acknowledged before it is stored."""
