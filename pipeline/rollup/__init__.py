"""Rolls summaries up to site windows of a minute and an hour, with revisions."""
