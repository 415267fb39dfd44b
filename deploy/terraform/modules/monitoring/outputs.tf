output "dashboard" {
  description = "Name of the dashboard."
  value       = google_monitoring_dashboard.pipeline.id
}
