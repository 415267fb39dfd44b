"""Describes the dashboards that Grafana shows: gateways, pipeline and notifier by Prometheus, what the warehouse knows by BigQuery.

Which data source they ask is a choice on top of each page. A query of the warehouse costs what its views cost: hence no refresh by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from grafana_foundation_sdk.builders import bigquery, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.bigquery import EditorMode, QueryFormat
from grafana_foundation_sdk.models.dashboard import DataSourceRef

HEIGHT = 8
"""Of a panel, in rows of the page."""
SHOWN = "timestamp_millis(${__from}), timestamp_millis(${__to})"
"""The arguments of a function of the warehouse: the time that the page shows."""


class Look(Enum):
    """Is how a panel shows what it has asked for."""

    NUMBER = stat.Panel
    LINES = timeseries.Panel
    TABLE = table.Panel


@dataclass(frozen=True, slots=True)
class Panel:
    """Asks one question, in PromQL or SQL; `unit` is one of Grafana's names, `columns` are of the 24 of a page."""

    title: str
    says: str
    query: str
    look: Look = Look.LINES
    unit: str = "short"
    columns: int = 12


GATEWAYS = (
    Panel("Silent", "Gateways whose figures nobody could fetch", 'count(up{job="tinybeam"} == 0) or vector(0)', Look.NUMBER, columns=6),
    Panel("Uplink away", "Gateways that keep what they have", "count(tinybeam_uplink_online == 0) or vector(0)", Look.NUMBER, columns=6),
    Panel("Without a clock", "Times are doubtful there", "count(tinybeam_clock_synced == 0) or vector(0)", Look.NUMBER, columns=6),
    Panel("Full", "Readings are not acknowledged there", "count(tinybeam_store_full == 1) or vector(0)", Look.NUMBER, columns=6),
    Panel("Readings stored", "Committed and acknowledged", "rate(tinybeam_readings_stored_total[$__rate_interval])", unit="cps"),
    Panel("Readings set aside", "Messages that are no readings", "rate(tinybeam_readings_rejected_total[$__rate_interval])", unit="cps"),
    Panel("Batches that wait", "For an uplink, or for their turn", "tinybeam_batches_pending"),
    Panel("Oldest batch that waits", "Its age", "time() - tinybeam_oldest_pending_time_seconds", unit="s"),
    Panel("Store", "Of its bound", "tinybeam_store_bytes / tinybeam_store_bytes_max", unit="percentunit"),
    Panel(
        "Thinned and dropped",
        "Batches, for want of room",
        "increase(tinybeam_batches_thinned_total[$__rate_interval]) + increase(tinybeam_batches_dropped_total[$__rate_interval])",
    ),
    Panel("Broker", "1 while it is heard", "tinybeam_broker_online"),
    Panel("Certificate ends in", "Renewed from two thirds of its life", "tinybeam_certificate_end_time_seconds - time()", unit="s"),
)

PATH = (
    Panel(
        "Silent",
        "Pipelines and notifiers that do not answer",
        'count(up{job="tinybeam-path"} == 0) or vector(0)',
        Look.NUMBER,
    ),
    Panel("Never told", "Notices given up, since the start", "sum(tinybeam_notifier_given_up_total) or vector(0)", Look.NUMBER),
    Panel("Messages", "Read from Pub/Sub", "rate(tinybeam_pipeline_messages_total[$__rate_interval])", unit="cps"),
    Panel("Batches that came before", "Dropped as repeats", "rate(tinybeam_pipeline_repeated_total[$__rate_interval])", unit="cps"),
    Panel("Rows", "On their way into each table", "rate(tinybeam_pipeline_rows_total[$__rate_interval])", unit="cps"),
    Panel("Set aside", "Rejects, by reason", "increase(tinybeam_pipeline_rejects_total[$__rate_interval])"),
    Panel(
        "Age of batches",
        "Mean, from their cut to their decoding",
        "rate(tinybeam_pipeline_batch_age_seconds_sum[$__rate_interval])"
        " / rate(tinybeam_pipeline_batch_age_seconds_count[$__rate_interval])",
        unit="s",
    ),
    Panel("Rows that wait", "Five minutes and more, by table: the log says why", "increase(tinybeam_pipeline_late_appends_total[1h])"),
    Panel("Notices sent", "By receiver", "increase(tinybeam_notifier_sent_total[$__rate_interval])"),
    Panel("Attempts that failed", "By receiver", "increase(tinybeam_notifier_failed_total[$__rate_interval])"),
    Panel("Notices that wait", "By receiver", "tinybeam_notifier_waiting", columns=24),
)

WAREHOUSE = (
    Panel(
        "What is wrong now",
        "Open alerts, newest first",
        "select severity, site, subject, message, opened_time from tinybeam.alerts_open order by opened_time desc",
        Look.TABLE,
        columns=24,
    ),
    Panel(
        "What fields need",
        "Advice of today",
        "select field, action, need_mm, balance_days, model_days, why from tinybeam.advice order by field",
        Look.TABLE,
    ),
    Panel(
        "Machines and fields as models see them",
        "Latest verdicts",
        "select device_id, model, label, score, window_start from tinybeam.latest_verdicts order by device_id",
        Look.TABLE,
    ),
    Panel(
        "Gateways",
        "Latest heartbeat of each",
        "select gateway_id, heartbeat_time, uplink_state, broker_state, batches_pending, certificate_end_time from tinybeam.gateways"
        " order by heartbeat_time",
        Look.TABLE,
        columns=24,
    ),
    Panel(
        "Completeness",
        "Share of each hour's batches that have arrived",
        f"select hour as time, gateway_id, completeness from tinybeam.completeness_between({SHOWN}) order by time",
        unit="percentunit",
    ),
    Panel(
        "Set aside",
        "Rejects of each hour, by reason",
        "select timestamp_trunc(timestamp, hour) as time, reason, count(*) as rejects"
        f" from tinybeam.rejects_between({SHOWN}) group by time, reason order by time",
    ),
)


def _promql(panel: Panel) -> Any:
    return prometheus.Dataquery().expr(panel.query).legend_format("{{instance}} {{table}}{{reason}}{{receiver}}")


def _sql(panel: Panel) -> Any:
    shape = QueryFormat.TABLE if panel.look is Look.TABLE else QueryFormat.TIMESERIES
    return bigquery.Dataquery().raw_sql(panel.query).raw_query(True).editor_mode(EditorMode.CODE).format(shape)


@dataclass(frozen=True, slots=True)
class Page:
    """Asks a data source of one type; `ask` makes its query of a panel's, `refresh` is how often anew by itself, False for never."""

    title: str
    source: str
    panels: tuple[Panel, ...]
    ask: Callable[[Panel], Any]
    refresh: str | Literal[False]


PAGES = {
    "gateways": Page("TinyBeam: gateways", "prometheus", GATEWAYS, _promql, "30s"),
    "path": Page("TinyBeam: pipeline and notifier", "prometheus", PATH, _promql, "30s"),
    "warehouse": Page("TinyBeam: fields and machines", "grafana-bigquery-datasource", WAREHOUSE, _sql, refresh=False),
}


def dashboards() -> dict[str, dict[str, Any]]:
    """Returns the JSON of each dashboard by the name of its file."""
    return {name: _dashboard(f"tinybeam-{name}", page) for name, page in PAGES.items()}


def _dashboard(uid: str, page: Page) -> dict[str, Any]:
    shown = dashboard.Dashboard(page.title).uid(uid).tags(["tinybeam"]).timezone("utc").time("now-24h", "now").refresh(page.refresh)
    shown.readonly().with_variable(dashboard.DatasourceVariable("source").label("Data source").type(page.source))
    source = DataSourceRef(type_val=page.source, uid="${source}")
    for number, panel in enumerate(page.panels, 1):
        drawn = panel.look.value().id(number).title(panel.title).description(panel.says).unit(panel.unit).datasource(source)
        shown.with_panel(drawn.height(HEIGHT).span(panel.columns).with_target(page.ask(panel).datasource(source).ref_id("A")))
    built: dict[str, Any] = json.loads(JSONEncoder(sort_keys=True).encode(shown.build()))
    return built
