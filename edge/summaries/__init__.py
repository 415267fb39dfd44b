"""Turns a closed window into summaries, and keeps pending what lies within a deadband. Pure."""
