"""Runs the whole path on one machine: servers, simulated fields and an oracle that counts outside the system under test."""
