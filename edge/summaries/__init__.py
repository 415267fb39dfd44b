"""A closed window -> summaries, and what a deadband keeps pending of them. Pure."""
