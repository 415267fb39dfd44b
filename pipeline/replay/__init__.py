"""Sends rows that were set aside through the flow once more: rows of devices that the registry came to know, each once."""
