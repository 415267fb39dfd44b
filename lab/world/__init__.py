"""Simulates fields, machines and their sensors."""
