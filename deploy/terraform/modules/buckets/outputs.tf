output "staging" {
  description = "Bucket of the jobs' files: --temp_location=gs://STAGING/tmp."
  value       = google_storage_bucket.staging.name
}

output "loads" {
  description = "Bucket of files that are loaded in batch runs."
  value       = google_storage_bucket.loads.name
}

output "templates" {
  description = "Bucket of Flex templates."
  value       = google_storage_bucket.templates.name
}

output "archive" {
  description = "Bucket of the archive: --archive=gs://ARCHIVE/batches."
  value       = google_storage_bucket.archive.name
}
