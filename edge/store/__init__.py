"""Keeps what is accepted on disk: a journal of readings, an outbox of encoded batches and a ledger, in one bounded SQLite file."""
