"""Reads a subscription on engines other than Dataflow, and acknowledges a message when its rows are in the warehouse."""
