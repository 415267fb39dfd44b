"""Says what to do about each reason of a reject, in a few words; docs/rejects.md says more."""

from __future__ import annotations

_GATEWAY = "sent by no gateway of ours, or damaged on the way: see who publishes"
_VERSION = "a gateway of another version, or not one of ours"
_OURS = "please report it, with the stack trace; replay once the pipeline is mended"

REMEDIES = {
    "bad_device": "publish to sensors/DEVICE/readings",
    "no_sensor_class": "add the device's pattern to a class in gateway.toml",
    "malformed_json": "look at the bytes (`show`): a cut message, another encoding, a wrong topic",
    "malformed_cbor": "look at the bytes (`show`): a cut message, or a wrong payload.format",
    "malformed_gzip": "look at the bytes (`show`): a cut message",
    "out_of_range": "a broken probe, or another unit: channels, valid_min and valid_max of the class",
    "unknown_channel": "name it in channels, payload.rename or payload.ignore of the class",
    "ambiguous_channel": "say in the class which value is the channel: payload.rename, payload.ignore",
    "wrong_unit": "another unit in channels, or payload.ignore",
    "undeclared_state": "add the state to values of the channel's kind, or say in words which state it is",
    "undeclared_time": "say payload.time and payload.time_unit of the class",
    "wrong_type": "the message names the place: change what the sensor sends",
    "no_values": "let the sensor stay silent when it has nothing to say",
    "not_finite": "the sensor has a fault: leave the channel out while it has",
    "damaged": "look at the gateway's disk; the bytes are what was left",
    "too_many_channels": "declare them in channels of the class, or raise limits.undeclared_channels",
    "too_many_devices": "keep strangers off the broker by its access list, or raise limits.devices",
    "too_many_readings": "let the sensor send less, or raise limits.readings",
    "oversized": "send smaller messages, or raise mqtt.max_payload_bytes",
    "time_future": "set the clock of the sensor, or of the gateway",
    "time_past": "a sensor without a clock leaves `time` out",
    "bad_frame": "compare with edge/frame.py",
    "no_frame_channel": "add the channel to `frames` of the class in gateway.toml",
    "name_taken": "two boxes share a name: give one another gateway.id and an empty state_dir, then replay its batches under that id",
    "repeat_unproven": "replay: what is a fact already is left alone",
    "unsigned": "set [signatures] of the gateway; if it sent nothing unsigned, see who publishes",
    "unknown_gateway": "register the gateway's key in [[gateways]], then replay; if it is none of yours, see who publishes",
    "unknown_key": "register the gateway's key in [[gateways]] and give --signature_keys the key that it signs for, then replay",
    "revoked_key": "give the gateway a new key; what the revoked one signs stays out",
    "forged": "nobody but a forger sends it: see who publishes",
    "bad_envelope": _GATEWAY,
    "broken_entry": "copy the export file again",
    "bad_size": _GATEWAY,
    "bad_zstd": _GATEWAY,
    "bad_arrow": _GATEWAY,
    "bad_columns": _GATEWAY,
    "no_dictionary": "update the pipeline, then replay",
    "bad_row_count": _GATEWAY,
    "bad_times": _GATEWAY,
    "bad_schema": "update the pipeline, then replay",
    "null_value": _VERSION,
    "contradiction": _VERSION,
    "time_out_of_range": "look at the gateway's clock",
    "unknown_device": "register the device, then replay",
    "warehouse_refused": "tinybeam sql apply, then replay",
    "fault": _OURS,
}
"""By reason."""


def remedy(reason: str) -> str:
    return REMEDIES.get(reason, "")
