"""Brings batches from Pub/Sub, or from export files, to the warehouse: one flow on Apache Beam. Imports schemas only."""
