"""The contract between gateway, pipeline and warehouse. Imports nothing of ours."""
