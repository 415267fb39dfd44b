"""Lists the kinds of uplinks, a module each: what [uplink] in gateway.toml may be."""

from __future__ import annotations

from edge.uplink.mqtt import MqttUplinkSettings
from edge.uplink.pubsub import PubsubUplinkSettings

UplinkSettings = PubsubUplinkSettings | MqttUplinkSettings
