"""Holds the contract between gateway, pipeline and warehouse. Imports nothing of ours but `program`."""
