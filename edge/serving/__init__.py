"""Serves HTTP at a gateway so that nobody holds it up: connections, bytes and time are bounded, with TLS or without."""
