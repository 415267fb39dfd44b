"""The outbox -> Pub/Sub, or an export file. At least once: a batch leaves the store only when its arrival is confirmed."""
