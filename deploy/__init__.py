"""Holds what a launch needs as code and configuration, and what writes the parts that follow from schemas and sql. Not shipped."""
