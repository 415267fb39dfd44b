output "repository" {
  description = "Location and name of the repository."
  value = {
    location   = google_artifact_registry_repository.images.location
    repository = google_artifact_registry_repository.images.repository_id
  }
}

output "prefix" {
  description = "What the name of an image begins with: PREFIX/pipeline:0.2.0."
  value       = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}
