"""Holds tables, views, functions, queries and checks of the warehouse, and the command that applies, checks and asks them."""
