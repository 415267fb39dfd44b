output "tag" {
  description = "The tag of columns that say where a site lies."
  value       = google_data_catalog_policy_tag.position.name
}
