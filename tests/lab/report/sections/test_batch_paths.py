from dataclasses import replace

from lab.report.query_results import QueryResults
from lab.report.sections import batch_paths
from tests.lab.acts.test_run_record import RECORD

EMPTY = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))


def test_a_fault_of_one_gateway_shades_its_lane_and_one_of_all_is_named_once() -> None:
    actions = (
        *RECORD.actions,
        replace(RECORD.actions[0], text="the uplink is cut", fault="the uplink was cut"),
        RECORD.actions[1],
    )
    shades = list(batch_paths._faults(replace(RECORD, actions=actions), ["gateway-north", "gateway-south"]))
    assert [(shade["lane"], shade["text"]) for shade in shades] == [
        ("gateway-north", "stopped dead"),
        ("gateway-north", "uplink cut"),
        ("gateway-south", ""),
    ]
    assert (shades[0]["begin"], shades[0]["end"]) == (15.0, 19.0)


def test_every_batch_is_a_triangle_and_those_that_a_fault_affected_are_counted() -> None:
    shown = batch_paths.content(RECORD, EMPTY)
    assert (shown["batches"], shown["affected"], shown["longest"]) == (3, 1, 4.0)
    assert shown["chart"].count('fill-opacity="0.35"') == 2 * 3, "each is drawn for a phone and for a desk"
