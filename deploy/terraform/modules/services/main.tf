# The APIs that TinyBeam calls. They stay enabled when this is destroyed: others of the project may need them.
locals {
  always = [
    "bigquery.googleapis.com",
    "bigquerystorage.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
  ]
  of_dataflow = ["artifactregistry.googleapis.com", "compute.googleapis.com", "dataflow.googleapis.com"]
  of_rules    = ["bigquerydatapolicy.googleapis.com", "datacatalog.googleapis.com"]
  of_budget   = ["billingbudgets.googleapis.com", "cloudbilling.googleapis.com"]
}

resource "google_project_service" "api" {
  for_each = toset(concat(local.always, var.dataflow ? local.of_dataflow : [], var.budget ? local.of_budget : [], var.rules ? local.of_rules : []))

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}
