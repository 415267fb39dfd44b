output "subnetwork" {
  description = "Subnetwork of the workers, as --subnetwork takes it: regions/R/subnetworks/S."
  value       = "regions/${google_compute_subnetwork.workers.region}/subnetworks/${google_compute_subnetwork.workers.name}"
}
