# The place of the key by which the pipeline checks signatures. What is in it never passes through Terraform, whose state would hold it:
# gcloud secrets versions add
resource "google_secret_manager_secret" "pipeline_key" {
  project   = var.project
  secret_id = var.name
  labels    = var.labels

  replication {
    auto {}
  }

  lifecycle {
    prevent_destroy = true
  }
}
