output "dataset" {
  description = "Dataset of the tables."
  value       = google_bigquery_dataset.tables.dataset_id
}

output "views_dataset" {
  description = "Dataset of views and functions."
  value       = google_bigquery_dataset.views.dataset_id
}

output "table_prefix" {
  description = "What names of tables, views and functions begin with; known when all of them are there."
  value       = var.table_prefix
  depends_on  = [module.level_7, google_bigquery_dataset_access.views, google_bigquery_dataset_access.functions]
}

output "tables_with_site" {
  description = "Tables whose rows have a site; known when they are there."
  value       = toset([for name, table in local.tables : name if contains(table.schema[*].name, "site_id")])
  depends_on  = [google_bigquery_table.facts]
}
