"""Turns documents of any shape into readings, by what [sensors.payload] says of them. Pure."""
