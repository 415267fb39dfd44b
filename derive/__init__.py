"""Derives anew what people look at from the facts: rollups by SQL in the warehouse, what rests on them by the pipeline's own logic."""
