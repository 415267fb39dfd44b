"""Writes what a mosquitto needs to know who is who: its configuration, its access list, its passwords and its certificate."""
