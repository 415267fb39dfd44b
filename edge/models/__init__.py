"""A closed window -> features -> a model bundle's answer. The TFLite runtime runs in a child process."""
