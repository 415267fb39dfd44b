"""Turns a closed window into features, and those into a model bundle's answer. The TFLite runtime runs in a child process."""
