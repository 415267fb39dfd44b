# Topics have no schema: a body is a batch in Arrow, compressed, which the registry of schemas cannot check. The pipeline does, strictly.
resource "google_pubsub_topic" "telemetry" {
  project      = var.project
  name         = var.topic
  labels       = var.labels
  kms_key_name = var.kms_key

  dynamic "message_storage_policy" {
    for_each = length(var.regions) > 0 ? [var.regions] : []
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_pubsub_topic" "alerts" {
  project      = var.project
  name         = "${var.topic}-alerts"
  labels       = var.labels
  kms_key_name = var.kms_key
}

# What could not be written in so many attempts. The pipeline refuses nothing: what it does not understand is a row of rejects.
resource "google_pubsub_topic" "dead_letters" {
  count = local.dead_letters ? 1 : 0

  project      = var.project
  name         = "${var.topic}-dead-letters"
  labels       = var.labels
  kms_key_name = var.kms_key
}
