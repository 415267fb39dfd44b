resource "google_pubsub_subscription_iam_member" "pipeline_reads" {
  for_each = var.subscriptions

  project      = var.project
  subscription = each.value
  role         = "roles/pubsub.subscriber"
  member       = var.accounts.pipeline.member
}

resource "google_pubsub_subscription_iam_member" "pipeline_looks" {
  for_each = var.subscriptions

  project      = var.project
  subscription = each.value
  role         = "roles/pubsub.viewer"
  member       = var.accounts.pipeline.member
}

resource "google_pubsub_topic_iam_member" "pipeline_tells" {
  project = var.project
  topic   = var.alerts_topic
  role    = "roles/pubsub.publisher"
  member  = var.accounts.pipeline.member
}

resource "google_secret_manager_secret_iam_member" "pipeline_checks" {
  project   = var.project
  secret_id = var.pipeline_key
  role      = "roles/secretmanager.secretAccessor"
  member    = var.accounts.pipeline.member
}

# Rights on datasets are entries of their access lists: a binding would take away those of the views that may read the tables.
resource "google_bigquery_dataset_access" "pipeline_writes" {
  project       = var.project
  dataset_id    = var.dataset
  role          = "roles/bigquery.dataEditor"
  user_by_email = var.accounts.pipeline.email
}

resource "google_bigquery_dataset_access" "pipeline_recomputes" {
  project       = var.project
  dataset_id    = var.views_dataset
  role          = "roles/bigquery.dataViewer"
  user_by_email = var.accounts.pipeline.email
}

resource "google_project_iam_member" "pipeline_asks" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = var.accounts.pipeline.member
}

resource "google_storage_bucket_iam_member" "pipeline_files" {
  for_each = toset([var.buckets.staging, var.buckets.loads, var.buckets.archive])

  bucket = each.value
  role   = "roles/storage.objectUser"
  member = var.accounts.pipeline.member
}
