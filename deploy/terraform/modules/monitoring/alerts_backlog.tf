# What waits: the pipeline is away, too slow, or may not write. Nothing is lost before the subscription's retention ends.
locals {
  of_subscriptions = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${join(", ", [for name in var.subscriptions : "\"${name}\""])})"
}

resource "google_monitoring_alert_policy" "oldest_message" {
  project               = var.project
  display_name          = "TinyBeam: messages wait for more than ${var.oldest_message_minutes} minutes"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Oldest message that is not acknowledged"
    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.of_subscriptions}"
      comparison      = "COMPARISON_GT"
      threshold_value = var.oldest_message_minutes * 60
      duration        = "300s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Messages of gateways are not written. Nothing is lost for ${var.retention_days} days. Look at `tinybeam pipeline status`, at errors in the log of the job, and at `late_appends`: a table that is denied, missing or lacks a column."
  }
}

resource "google_monitoring_alert_policy" "backlog" {
  project               = var.project
  display_name          = "TinyBeam: more than ${var.backlog_messages} messages wait"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Messages that are not delivered"
    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.of_subscriptions}"
      comparison      = "COMPARISON_GT"
      threshold_value = var.backlog_messages
      duration        = "900s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "More comes than is written, for a quarter of an hour: after an outage that is what catching up looks like. If it grows, raise `max_workers`, or share the subscription."
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  count = var.dead_letters == null ? 0 : 1

  project               = var.project
  display_name          = "TinyBeam: messages were set aside as dead letters"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Messages among the dead letters"
    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${var.dead_letters}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The pipeline could not write them in many attempts. They are kept for 31 days: mend the cause, then let a pipeline read this subscription until it is empty. Batches have names, so nothing counts twice."
  }
}
