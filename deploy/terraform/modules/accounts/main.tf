# One service account for each program, and no key of any: machines outside of Google show a certificate, people take a role for an hour.
# Gateways have none: their certificate may publish, and that is all.
resource "google_service_account" "pipeline" {
  project      = var.project
  account_id   = "${var.prefix}-pipeline"
  display_name = "TinyBeam pipeline"
  description  = "Reads batches, writes tables, publishes alerts"
}

resource "google_service_account" "launcher" {
  project      = var.project
  account_id   = "${var.prefix}-launcher"
  display_name = "TinyBeam launcher"
  description  = "Launches and operates the pipeline's job"
}

resource "google_service_account" "notifier" {
  project      = var.project
  account_id   = "${var.prefix}-notifier"
  display_name = "TinyBeam notifier"
  description  = "Hears of alerts and tells people"
}

resource "google_service_account" "analyst" {
  project      = var.project
  account_id   = "${var.prefix}-analyst"
  display_name = "TinyBeam analyst"
  description  = "Asks views: dashboards and scheduled questions"
}
