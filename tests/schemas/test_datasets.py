"""Names of datasets are settings; the SQL of this repository says `tinybeam.` whatever they are."""

from __future__ import annotations

import pytest

from schemas.datasets import SETTINGS, Datasets

FARM = Datasets("farm", "farm_views", "tb_")


@pytest.mark.parametrize(
    ("datasets", "text", "expected"),
    [
        (Datasets(), "select * from tinybeam.summaries join tinybeam.summaries_v1", None),
        (Datasets("farm"), "from tinybeam.summaries, tinybeam.summaries_v1", "from farm.summaries, farm.summaries_v1"),
        (FARM, "from tinybeam.summaries, tinybeam.summaries_v1", "from farm_views.tb_summaries, farm.tb_summaries_v1"),
        (FARM, "tinybeam.quantile(tinybeam.merged_sketch(a), 0.5)", "farm_views.tb_quantile(farm_views.tb_merged_sketch(a), 0.5)"),
        (FARM, "insert into `tinybeam.sites_v1`", "insert into `farm.tb_sites_v1`"),
        (FARM, "from `p.tinybeam.sites_v1`, tinybeam.tinybeam.sites_v1", None),
        (FARM, "-- tinybeam, not_tinybeam.sites_v1", None),
    ],
)
def test_the_names_in_a_statement_are_those_of_the_settings(datasets: Datasets, text: str, expected: str | None) -> None:
    assert datasets.sql(text) == (expected or text)


def test_the_environment_stands_for_flags() -> None:
    assert Datasets.of_environment({}) == Datasets()
    everything = {"TINYBEAM_DATASET": "farm", "TINYBEAM_VIEWS_DATASET": "farm_views", "TINYBEAM_TABLE_PREFIX": "tb_"}
    assert Datasets.of_environment(everything) == FARM
    assert {setting.variable for setting in SETTINGS} == everything.keys()


def test_flags_name_what_is_not_by_default() -> None:
    assert Datasets().flags == ""
    assert FARM.flags == " --dataset farm --views_dataset farm_views --table_prefix tb_"


@pytest.mark.parametrize(
    ("names", "setting"),
    [(("a-b",), "--dataset"), (("a", "p.d"), "--views_dataset"), (("a", "b", "1_"), "--table_prefix"), (("",), "--dataset")],
)
def test_what_is_no_name_is_refused_by_its_setting(names: tuple[str, ...], setting: str) -> None:
    with pytest.raises(ValueError, match=setting):
        Datasets(*names)


def test_views_are_apart_only_in_another_dataset() -> None:
    assert [datasets.apart for datasets in (Datasets(), Datasets("a", "a"), Datasets("a", "b"))] == [False, False, True]
