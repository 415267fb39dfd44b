"""What a question costs is said before it is asked, by the service's own figure, and a limit holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from google.cloud import bigquery

from derive.command import cli
from lab.services.stack import Warehouse
from sql.cost import Cost
from sql.service import Target, open_client
from tests.sql.billing_service import BillingService

GIGABYTES = 2 * 2**30


@pytest.fixture
def service() -> Iterator[tuple[BillingService, str]]:
    service = BillingService(GIGABYTES)
    with service.running() as url:
        yield service, url


def run(url: str, *arguments: str, **environment: str) -> Result:
    variables: dict[str, str | None] = {"BIGQUERY_EMULATOR_HOST": url, "GOOGLE_CLOUD_PROJECT": "p", **environment}
    return CliRunner().invoke(cli, list(arguments), env=variables)


def test_a_dry_run_says_bytes_and_price_and_asks_nothing(service: tuple[BillingService, str]) -> None:
    billing, url = service
    answer = run(url, "query", "what_happened", "--dry_run")
    assert answer.stdout == "what_happened would read 2.0 GiB: 0.0122 USD at 6.25 USD per TiB\n", answer.stderr
    assert [request["configuration"]["dryRun"] for request in billing.requests] == [True]


def test_the_price_is_a_setting(service: tuple[BillingService, str]) -> None:
    url = service[1]
    answer = run(url, "query", "what_happened", "--dry_run", "--json", "--price_per_tib", "8")
    assert json.loads(answer.stdout) == [{"name": "what_happened", "bytes": GIGABYTES, "usd": 8 * 2 / 1024, "price_per_tib": 8.0}]
    assert "at 512 USD per TiB" in run(url, "query", "what_happened", "--dry_run", TINYBEAM_PRICE_PER_TIB="512").stdout


def test_each_check_says_what_it_would_cost_and_all_of_them(service: tuple[BillingService, str]) -> None:
    answer = run(service[1], "check", "devices_are_registered", "batches_have_rows", "--param", "from_time=2026-05-01", "--dry_run")
    assert [line.partition(":")[0] for line in answer.stdout.splitlines()] == [
        "devices_are_registered would read 2.0 GiB",
        "batches_have_rows would read 2.0 GiB",
        "all of them would read 4.0 GiB",
    ], answer.stderr


@pytest.mark.parametrize(
    "command", [("query", "what_happened"), ("recompute",), ("promote", "clock_offset_ms"), ("registry", "--export", "r")]
)
def test_a_statement_over_its_limit_is_refused_and_the_setting_is_named(
    service: tuple[BillingService, str], command: tuple[str, ...]
) -> None:
    refused = run(service[1], *command, "--maximum_bytes_billed", "1000000")
    assert refused.exit_code == 1
    assert "Query exceeded limit for bytes billed: 1000000. 2147483648 or higher required." in refused.stderr
    assert "--maximum_bytes_billed: raise it, or ask for fewer days" in refused.stderr


def test_a_statement_within_its_limit_is_answered(service: tuple[BillingService, str]) -> None:
    billing, url = service
    answered = run(url, "query", "what_happened", "--csv", TINYBEAM_MAXIMUM_BYTES_BILLED=str(GIGABYTES))
    assert answered.stdout == "answer\n42\n", answered.stderr
    assert [request["maximumBytesBilled"] for request in billing.requests] == [str(GIGABYTES)]


def test_the_local_warehouse_has_no_figure_and_none_is_invented(warehouse: Warehouse, sql_project: bigquery.Client) -> None:
    answer = run(warehouse.rest_url, "query", "what_happened", "--dry_run", GOOGLE_CLOUD_PROJECT=sql_project.project)
    assert answer.stdout.startswith("what_happened: this local warehouse has no figure of bytes"), answer.stderr


def test_what_was_read_is_counted_once(service: tuple[BillingService, str]) -> None:
    with open_client(Target("p"), service[1]) as client:
        client.query_and_wait("select 1")
        client.query_and_wait("select 2")
        assert client.bytes_read() == 2 * GIGABYTES
        assert client.bytes_read() == 0


@pytest.mark.parametrize(("read", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5 * 2**50, "5120.0 TiB")])
def test_bytes_are_said_in_the_unit_that_fits(read: int, text: str) -> None:
    assert f"would read {text}:" in str(Cost("q", read, 6.25))
