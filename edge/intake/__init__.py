"""The broker's messages -> readings and rejects, each once. Nothing is acknowledged before it is stored."""
