"""Alerts to people: follows the topic of alerts and tells each notice once. Imports the contract only."""
