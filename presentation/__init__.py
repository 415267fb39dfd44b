"""How charts are drawn and numbers are written wherever people look: the demo's report, the live page. Knows nothing of what it shows."""
