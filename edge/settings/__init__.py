"""Declares the settings of gateway.toml, a room a table: each setting once, with its type, bounds, default and description."""
