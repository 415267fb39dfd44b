"""Starts the servers of the whole path, on free ports of 127.0.0.1, each stopped by its context."""
