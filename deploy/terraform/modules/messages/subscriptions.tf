# Subscriptions never expire: a pipeline that is away for a month must find its messages, as far back as they are kept.
locals {
  dead_letters = var.delivery_attempts != null
  # each subscription with its filter: what no filter takes would be lost
  subscriptions = length(var.shards) == 0 ? tomap({ tinybeam = "" }) : merge(
    { for shard in var.shards : "tinybeam-${shard}" => "attributes.shard = \"${shard}\"" },
    { tinybeam-rest = "NOT attributes:shard" },
  )
}

resource "google_pubsub_subscription" "pipeline" {
  for_each = local.subscriptions

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.telemetry.id
  filter                     = each.value
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "${var.retention_days * 86400}s"

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dynamic "dead_letter_policy" {
    for_each = google_pubsub_topic.dead_letters
    content {
      dead_letter_topic     = dead_letter_policy.value.id
      max_delivery_attempts = var.delivery_attempts
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# A pipeline that is pointed at this subscription writes what could not be written before: batches have names, so nothing counts twice.
resource "google_pubsub_subscription" "dead_letters" {
  count = local.dead_letters ? 1 : 0

  project                    = var.project
  name                       = "${var.topic}-dead-letters"
  topic                      = google_pubsub_topic.dead_letters[0].id
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "${31 * 86400}s"

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_pubsub_subscription" "notify" {
  project                    = var.project
  name                       = "${var.topic}-notify"
  topic                      = google_pubsub_topic.alerts.id
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "${var.retention_days * 86400}s"

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  lifecycle {
    prevent_destroy = true
  }
}
