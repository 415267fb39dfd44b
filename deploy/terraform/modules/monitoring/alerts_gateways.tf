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
  for_each = local.jobs

  project               = var.project
  display_name          = "TinyBeam: no heartbeat was written for ${var.heartbeat_minutes} minutes"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "No row of heartbeats_v1"
    condition_prometheus_query_language {
      query               = "sum(delta(${local.counter}=\"rows/heartbeats_v1\"}[${var.heartbeat_minutes}m])) <= 0"
      evaluation_interval = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The job runs, and nothing arrives: `tinybeam pipeline status`, and errors in its log. The view `gateways` says who was heard last."
  }
}
