# What the pipeline's account needs besides where Dataflow's workers run as it.
resource "google_project_iam_member" "worker" {
  count = var.dataflow ? 1 : 0

  project = var.project
  role    = "roles/dataflow.worker"
  member  = var.accounts.pipeline.member
}

resource "google_artifact_registry_repository_iam_member" "worker_pulls" {
  count = var.dataflow ? 1 : 0

  project    = var.project
  location   = var.images.location
  repository = var.images.repository
  role       = "roles/artifactregistry.reader"
  member     = var.accounts.pipeline.member
}

resource "google_storage_bucket_iam_member" "worker_template" {
  count = var.dataflow ? 1 : 0

  bucket = var.buckets.templates
  role   = "roles/storage.objectViewer"
  member = var.accounts.pipeline.member
}
