"""What every command of TinyBeam shares, whichever end of the path it runs on: settings, version. Imports nothing of ours."""
