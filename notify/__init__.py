"""Tells people of alerts: follows the topic of alerts and sends each notification once. Imports the contract only."""
