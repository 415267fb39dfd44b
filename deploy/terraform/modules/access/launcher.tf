resource "google_project_iam_member" "launcher_launches" {
  count = var.dataflow ? 1 : 0

  project = var.project
  role    = "roles/dataflow.developer"
  member  = var.accounts.launcher.member
}

resource "google_service_account_iam_member" "launcher_as_pipeline" {
  count = var.dataflow ? 1 : 0

  service_account_id = var.accounts.pipeline.name
  role               = "roles/iam.serviceAccountUser"
  member             = var.accounts.launcher.member
}

resource "google_storage_bucket_iam_member" "launcher_stages" {
  count = var.dataflow ? 1 : 0

  bucket = var.buckets.staging
  role   = "roles/storage.objectUser"
  member = var.accounts.launcher.member
}

resource "google_storage_bucket_iam_member" "launcher_template" {
  count = var.dataflow ? 1 : 0

  bucket = var.buckets.templates
  role   = "roles/storage.objectUser"
  member = var.accounts.launcher.member
}

resource "google_artifact_registry_repository_iam_member" "launcher_pushes" {
  count = var.dataflow ? 1 : 0

  project    = var.project
  location   = var.images.location
  repository = var.images.repository
  role       = "roles/artifactregistry.writer"
  member     = var.accounts.launcher.member
}

resource "google_bigquery_dataset_access" "launcher_looks" {
  count = var.dataflow ? 1 : 0

  project       = var.project
  dataset_id    = var.dataset
  role          = "roles/bigquery.dataViewer"
  user_by_email = var.accounts.launcher.email
}

resource "google_project_iam_member" "launcher_asks" {
  count = var.dataflow ? 1 : 0

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = var.accounts.launcher.member
}

# people take the launcher's role for an hour
resource "google_service_account_iam_member" "launchers" {
  for_each = var.dataflow ? var.launchers : []

  service_account_id = var.accounts.launcher.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.value
}
