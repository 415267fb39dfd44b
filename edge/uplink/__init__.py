"""Sends the outbox to an uplink, or writes it to export files. At least once: a batch leaves the store only when its arrival is confirmed.

`sender` decides what is sent when, `worker` is its thread, `publisher` the seam to a service; `kinds` names the services there are.
"""
