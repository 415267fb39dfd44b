# A gateway sends a heartbeat at least every quarter of an hour or so. One that is missing is an alert of the pipeline (rules of source
# "silence"); that none comes from anybody means that this pipeline does not hear, and cannot say so itself.
resource "google_monitoring_alert_policy" "no_heartbeats" {
  project               = var.project
  display_name          = "TinyBeam: no gateway has published for ${var.heartbeat_minutes} minutes"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "No request to publish"
    condition_absent {
      filter   = "metric.type=\"pubsub.googleapis.com/topic/send_request_count\" AND resource.type=\"pubsub_topic\" AND resource.labels.topic_id=\"${var.topic}\""
      duration = "${var.heartbeat_minutes * 60}s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "All gateways at once: look at the authority's certificates (`identity`), the sites in `sites`, and at one gateway by `tinybeam edge doctor`. They keep what they could not send."
  }
}

resource "google_monitoring_alert_policy" "heartbeats_not_written" {
  count = var.job == null ? 0 : 1

  project               = var.project
  display_name          = "TinyBeam: no heartbeat was written for ${var.heartbeat_minutes} minutes"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "No row of heartbeats_v1"
    condition_absent {
      filter   = "${local.counter} AND metric.labels.metric_name=\"rows/heartbeats_v1\""
      duration = "${var.heartbeat_minutes * 60}s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Gateways publish and nothing arrives, or the job does not run: `tinybeam pipeline status`. The view `gateways` says who was heard last."
  }
}
