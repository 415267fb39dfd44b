"""Holds what every command of TinyBeam shares, whichever end of the path it runs on, such as settings and logs. Imports nothing of ours."""
