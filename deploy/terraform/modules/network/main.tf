# Workers have no public address: they reach Google's APIs by the subnetwork's private access, and nothing else.
resource "google_compute_network" "workers" {
  project                 = var.project
  name                    = var.name
  description             = "Workers of TinyBeam's job"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "workers" {
  project                  = var.project
  name                     = var.name
  description              = "Workers of TinyBeam's job"
  region                   = var.region
  network                  = google_compute_network.workers.id
  ip_cidr_range            = var.addresses
  private_ip_google_access = true
}

# Workers of one job talk to each other when they shuffle without the streaming engine; nobody else reaches them.
resource "google_compute_firewall" "workers" {
  project     = var.project
  name        = "${var.name}-shuffle"
  description = "Workers among themselves"
  network     = google_compute_network.workers.id
  direction   = "INGRESS"
  source_tags = ["dataflow"]
  target_tags = ["dataflow"]

  allow {
    protocol = "tcp"
    ports    = ["12345-12346"]
  }
}
