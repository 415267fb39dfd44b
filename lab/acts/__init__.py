"""What the demo does: a season of history, then real time with faults in it, and the account of both."""
