"""Every fault that users of comparable systems reported has a test that holds its right value; one that vanishes is missed here.

The numbers are those of the cases from the field. A folder is a case of SQL.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_PAYLOADS = "tests/edge/intake/test_payload_cases.py::"
_ACCESS = "tests/edge/intake/test_broker_access.py::"
_BOUNDS = "tests/edge/test_gateway_bounds.py::"
_RUN = "tests/edge/test_run.py::"
_EPOCHS = "tests/edge/store/test_epochs.py::"
_MACHINES = "tests/edge/test_machines.py::"

CASES: dict[int, tuple[str, ...]] = {
    1: (
        f"{_PAYLOADS}test_1_percent_is_refused_with_the_cure_and_converted_where_that_is_declared",
        "tests/edge/models/test_bundles.py::test_1_percent_of_a_model_in_m3_m3_is_refused_with_the_settings_that_convert_it",
        "tests/edge/models/test_bundles.py::test_1_a_range_that_the_model_was_not_made_for_is_refused",
    ),
    2: (f"{_PAYLOADS}test_2_a_counter_that_begins_anew_loses_nothing_and_what_the_broker_delivers_again_is_a_repeat",),
    3: (
        f"{_EPOCHS}test_a_copy_in_another_box_takes_a_new_epoch_and_the_original_keeps_its_own",
        "tests/pipeline/transforms/test_gather.py::test_3_another_batch_under_a_name_that_is_taken_is_set_aside_with_its_bytes",
        "tests/pipeline/alerts/sources/test_rejects.py::test_3_one_batch_under_a_taken_name_is_told_with_what_to_do",
        "tests/sql/batch_names_are_not_shared/two_bodies_of_one_name",
    ),
    4: ("tests/edge/models/test_tensors.py::test_4_a_model_of_another_form_is_refused_by_name",),
    5: ("tests/edge/test_gateway_clock.py::test_a_tick_far_ahead_makes_nothing_late_and_nothing_stops_over_restarts",),
    6: ("tests/edge/test_gateway_clock.py::test_where_the_gateway_does_not_know_the_time_its_sensors_may",),
    7: (f"{_PAYLOADS}test_7_a_null_is_said_and_its_neighbour_arrives",),
    8: (f"{_PAYLOADS}test_8_one_reading_that_is_not_finite_costs_no_other",),
    9: (
        f"{_PAYLOADS}test_9_a_time_under_another_name_is_refused_with_the_hint_and_never_stored_as_now",
        "tests/edge/intake/test_known_senders.py::test_9_a_time_is_never_passed_over_wherever_it_stands",
    ),
    10: (f"{_ACCESS}test_10_a_retained_message_is_no_reading_unless_the_class_says_so",),
    11: (
        "tests/pipeline/test_flow.py::test_11_a_sensor_that_two_gateways_hear_counts_once",
        "tests/sql/summaries_between/a_device_heard_by_several_gateways_counts_once",
    ),
    12: (
        "tests/edge/intake/test_tls.py::test_12_files_that_are_renewed_are_taken_at_the_next_connection",
        "tests/edge/intake/test_broker_findings.py::test_12_the_dates_of_a_certificate_are_said",
    ),
    13: (
        f"{_PAYLOADS}test_13_what_cannot_be_is_rejected_and_its_neighbour_stays",
        f"{_PAYLOADS}test_13_a_models_range_tells_what_a_broken_probe_sends",
    ),
    14: (
        f"{_ACCESS}test_14_a_plain_broker_on_the_lan_is_possible_only_when_asked_for_by_name",
        f"{_ACCESS}test_14_a_gateway_enters_with_user_password_and_ca_alone_and_hears_every_topic_of_its_classes",
    ),
    15: ("tests/edge/intake/test_broker_findings.py::test_15_what_a_broker_dropped_is_a_warning_that_names_the_settings",),
    16: (
        f"{_RUN}test_a_damaged_store_is_set_aside_in_a_sentence_and_the_gateway_runs",
        "tests/edge/store/test_rescue.py::test_a_store_of_which_a_part_is_gone_goes_on_with_the_rest",
    ),
    17: ("tests/edge/test_dry_run.py::test_17_what_mosquitto_sub_prints_is_read_and_bad_lines_are_counted",),
    18: (
        "tests/notify/test_wording.py::test_a_text_says_what_a_person_needs",
        "tests/notify/receivers/test_mail.py::test_a_mail_says_what_happened_and_keeps_its_name_when_it_comes_again",
    ),
    19: (f"{_PAYLOADS}test_19_a_shape_is_read_by_configuration", "tests/edge/intake/test_presets.py::test_every_preset_is_tried"),
    20: (f"{_PAYLOADS}test_20_a_time_is_read_as_declared", f"{_PAYLOADS}test_20_a_time_of_another_kind_is_refused_with_a_guess_at_it"),
    21: (f"{_PAYLOADS}test_21_a_name_becomes_an_identifier_by_rule",),
    22: (f"{_BOUNDS}test_wide_messages_with_gaps_in_their_numbers_are_cut_smaller",),
    23: (f"{_BOUNDS}test_a_small_store_takes_readings_and_cuts_of_any_number_in_parts",),
    24: (f"{_RUN}test_a_damaged_model_costs_inferences_and_no_readings",),
    25: (
        "tests/edge/uplink/test_sender.py::test_after_a_hang_with_many_requests_under_way_it_is_back_no_later_than_the_hang_was_long",
        "tests/edge/uplink/test_sender.py::test_after_blips_it_is_back_at_once",
    ),
    26: ("tests/edge/intake/test_stream.py::test_a_publication_of_any_size_streams_by_in_bounded_memory_and_the_next_is_whole",),
    27: (f"{_BOUNDS}test_names_of_channels_that_never_come_again_cost_their_sender_alone",),
    28: ("tests/edge/test_forgetting.py::test_names_that_come_once_leave_the_store_and_a_device_that_stays_raises_no_event_again",),
    29: ("tests/edge/store/test_ledger.py::test_of_years_of_single_drops_the_newest_are_kept_apart",),
    30: ("tests/edge/store/test_rescue.py::test_of_300_flipped_bits_none_changes_what_is_sent_and_little_is_lost",),
    31: (
        f"{_EPOCHS}test_a_backup_that_is_put_back_takes_a_new_epoch_each_time",
        f"{_EPOCHS}test_a_log_that_was_cut_off_is_a_store_that_went_back_in_time",
    ),
    32: (f"{_RUN}test_a_store_that_fails_while_it_runs_is_waited_for",),
    38: (
        "tests/pipeline/test_flow.py::test_windows_that_do_not_divide_the_hour_are_counted_fully_in_both_modes",
        "tests/sql/windows_stay_within_their_hour/those_that_cross",
    ),
    42: ("tests/edge/test_gateway_clock.py::test_a_device_whose_clock_is_steadily_off_gets_a_window_and_an_inference_a_minute",),
    44: (
        f"{_MACHINES}test_44_a_fault_that_lasts_is_called_one_until_it_is_repaired",
        f"{_MACHINES}test_44_somebody_may_say_that_it_is_sound",
    ),
    45: (f"{_MACHINES}test_45_what_does_not_run_is_said_as_what_it_is_once_and_is_neither_failing_nor_silence",),
}
"""The tests of each case."""

PROMISED = {*range(1, 33), 38, 42, 44, 45}


@pytest.mark.parametrize(("case", "tests"), CASES.items(), ids=map(str, CASES))
def test_the_tests_of_a_case_are_there(case: int, tests: tuple[str, ...]) -> None:
    assert tests
    assert [test for test in tests if not _is_there(test)] == [], f"case {case}"


def test_every_case_that_is_promised_has_tests() -> None:
    assert CASES.keys() == PROMISED


def test_a_test_that_is_not_there_is_missed() -> None:
    assert not _is_there("tests/test_field_cases.py::test_that_nobody_wrote")
    assert not _is_there("tests/sql/no_such_view/no_such_case")


def _is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    if not name:
        return (ROOT / path / "expect.yaml").is_file()
    return (ROOT / path).is_file() and re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE) is not None
