"""Connects the flow: says where messages come from and where rows go: subscriptions, export files, the warehouse."""
