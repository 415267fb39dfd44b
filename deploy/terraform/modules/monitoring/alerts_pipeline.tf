# What the pipeline says of itself: Dataflow shows its counters as user counters, by the names of docs/metrics.md.
locals {
  counter = "metric.type=\"dataflow.googleapis.com/job/user_counter\" AND resource.type=\"dataflow_job\" AND resource.labels.job_name=\"${coalesce(var.job, "none")}\""
}

resource "google_monitoring_alert_policy" "late_appends" {
  project               = var.project
  display_name          = "TinyBeam: rows of a table wait to be written"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Errors about rows that wait"
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.late_appends.name}\" AND resource.type=\"${var.job == null ? "global" : "dataflow_step"}\""
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
  count = var.job == null ? 0 : 1

  project               = var.project
  display_name          = "TinyBeam: more than ${var.rejects_per_hour} rejects in an hour"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Rejects by reason"
    condition_threshold {
      filter          = "${local.counter} AND metric.labels.metric_name=starts_with(\"rejects/\")"
      comparison      = "COMPARISON_GT"
      threshold_value = var.rejects_per_hour
      duration        = "0s"
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.metric_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What was not understood is kept with its bytes: `tinybeam rejects ls` counts it and says what to do, `tinybeam rejects replay` brings in what is mended."
  }
}
