"""What must hold between files, a module each: `find(fleet)` gives the findings. A further relation is a module and a word here."""

from __future__ import annotations

from configuration.relations import devices, gateways, routes, rules, signatures, viewers

RELATIONS = (gateways.find, devices.find, signatures.find, rules.find, routes.find, viewers.find)
