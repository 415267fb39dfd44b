"""Launches the pipeline on Dataflow, and operates what was launched: follow, replace, drain, cancel."""
