"""The broker's messages -> readings and rejects, told apart from their repetitions. Nothing is acknowledged before it is stored."""
