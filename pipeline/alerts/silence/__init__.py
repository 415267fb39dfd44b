"""Judges who is silent, in two steps: what each gateway hears and misses, and from that, whether anybody still hears a device.

A gateway's memory (gateway.py) holds since when it hears without interruption (listening.py) and when it last heard each device
(hearing.py). A device's memory (device.py) weighs what all gateways say of it; registry.py tells it that it is expected. What the rules
and the registry ask for is in watch.py.
"""
