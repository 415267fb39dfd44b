output "pipeline_key" {
  description = "Name of the secret, as projects/P/secrets/S."
  value       = google_secret_manager_secret.pipeline_key.name
}
