"""Holds the elements of an engine's bundle until it ends, for steps that write what came together in one piece."""

from __future__ import annotations

from typing import Any

import apache_beam as beam


class OfBundle(beam.DoFn):
    """Is a step whose `finish_bundle` finds all elements in `self.elements`. Nothing is kept from one bundle to the next."""

    def start_bundle(self) -> None:
        self.elements: list[Any] = []

    def process(self, element: Any) -> None:
        self.elements.append(element)
