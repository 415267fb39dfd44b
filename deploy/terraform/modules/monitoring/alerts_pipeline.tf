# What the pipeline says of itself. Dataflow shows its counters, by the names of docs/metrics.md, as gauges of what was counted so far: what
# came in a time is their difference, which PromQL can ask for. A metric of a dataflow_step's log belongs to the dataflow_job.
locals {
  counter = "dataflow_googleapis_com:job_user_counter{monitored_resource=\"dataflow_job\",job_name=\"${coalesce(var.job, "none")}\",metric_name"
}

resource "google_monitoring_alert_policy" "late_appends" {
  for_each = local.jobs

  project               = var.project
  display_name          = "TinyBeam: rows of a table wait to be written"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Errors about rows that wait"
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.late_appends[each.key].name}\" AND resource.type=\"dataflow_job\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.table"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The table is denied, missing or lacks a column; the line in the log names the cause. Nothing is lost: the messages are not acknowledged. `tofu apply` or `tinybeam sql apply` makes what is missing."
  }
}

resource "google_monitoring_alert_policy" "rejects" {
  for_each = local.jobs

  project               = var.project
  display_name          = "TinyBeam: more than ${var.rejects_per_hour} rejects in an hour"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Rejects by reason"
    condition_prometheus_query_language {
      query               = "sum by (metric_name) (delta(${local.counter}=~\"rejects/.*\"}[1h])) > ${var.rejects_per_hour}"
      evaluation_interval = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What was not understood is kept with its bytes: `tinybeam rejects ls` counts it and says what to do, `tinybeam rejects replay` brings in what is mended."
  }
}
