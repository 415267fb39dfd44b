# What the pipeline says in its log, as metrics. Dataflow's workers write there; the log of a machine of one's own stays on that machine, and
# what is in trouble there is seen by the messages that wait.
locals {
  jobs        = toset(compact([var.job]))
  of_pipeline = "resource.type=\"dataflow_step\" AND resource.labels.job_name=\"${coalesce(var.job, "none")}\""
}

resource "google_logging_metric" "errors" {
  for_each = local.jobs

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
  for_each = local.jobs

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
    table = "REGEXP_EXTRACT(jsonPayload.message, \"rows of ([a-z0-9_]+) wait for\")"
  }
}
