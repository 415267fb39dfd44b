"""The kinds of uplinks, a module each: what [uplink] in gateway.toml may be."""

from __future__ import annotations

from edge.uplink.pubsub import Pubsub

UplinkSettings = Pubsub  # a further kind: `Pubsub | Folder`
