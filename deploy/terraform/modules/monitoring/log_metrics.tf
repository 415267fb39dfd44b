# What the pipeline says in its log, as metrics: Dataflow's workers write there, and so does a machine of one's own that ships its journal.
resource "google_logging_metric" "errors" {
  project     = var.project
  name        = "tinybeam/errors"
  description = "Lines of the pipeline's log that are errors"
  filter      = "${local.of_pipeline} AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

# pipeline/io/late_appends.py: "rows of TABLE wait for N minutes, and their messages are not acknowledged: CAUSE"
resource "google_logging_metric" "late_appends" {
  project     = var.project
  name        = "tinybeam/late_appends"
  description = "Rows of a table wait to be written: it is denied, missing, or lacks a column"
  filter      = "${local.of_pipeline} AND severity>=ERROR AND \"their messages are not acknowledged\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "table"
      value_type  = "STRING"
      description = "Table whose rows wait"
    }
  }

  label_extractors = {
    table = "REGEXP_EXTRACT(${local.message}, \"rows of ([a-z0-9_]+) wait for\")"
  }
}

locals {
  of_pipeline = var.job == null ? "labels.app=\"tinybeam\"" : "resource.type=\"dataflow_step\" AND resource.labels.job_name=\"${var.job}\""
  message     = "jsonPayload.message"
}
