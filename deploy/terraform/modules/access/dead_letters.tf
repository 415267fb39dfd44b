# Pub/Sub itself moves a message: its own account needs to publish to the dead letters, and to acknowledge what it moved.
data "google_project" "this" {
  project_id = var.project
}

locals {
  pubsub       = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  dead_letters = var.dead_letters == null ? [] : [var.dead_letters]
}

resource "google_pubsub_topic_iam_member" "pubsub_sets_aside" {
  count = length(local.dead_letters)

  project = var.project
  topic   = local.dead_letters[count.index].topic
  role    = "roles/pubsub.publisher"
  member  = local.pubsub
}

resource "google_pubsub_subscription_iam_member" "pubsub_takes" {
  for_each = length(local.dead_letters) > 0 ? var.subscriptions : {}

  project      = var.project
  subscription = each.value
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub
}

resource "google_pubsub_subscription_iam_member" "pipeline_reads_dead_letters" {
  count = length(local.dead_letters)

  project      = var.project
  subscription = local.dead_letters[count.index].subscription
  role         = "roles/pubsub.subscriber"
  member       = var.accounts.pipeline.member
}
