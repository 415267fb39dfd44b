"""Lists the kinds of channels that are no numbers: how each is declared, read and summarised.

A new kind is a file here and a member of `ChannelKind`. Beside its settings it has what those of the others have: `number` makes a value of
what a message says, `changes_nothing` says which values need not be sent, `columns` tells the cloud what the channel is, `inputs` and
`input_values` are what a model can be given, `read_off` what people are shown; `unfit` lists settings that make no sense for it. Pure.
"""

from edge.channels.counter import CounterChannel
from edge.channels.state import StateChannel

__all__ = ["ChannelKind", "CounterChannel", "StateChannel"]

ChannelKind = StateChannel | CounterChannel
"""Told apart by their setting `kind`."""
