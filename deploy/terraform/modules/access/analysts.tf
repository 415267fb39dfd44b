# Views alone: the tables' dataset lets the views read it, and nobody who asks them.
resource "google_bigquery_dataset_access" "analyst_reads" {
  project       = var.project
  dataset_id    = var.views_dataset
  role          = "roles/bigquery.dataViewer"
  user_by_email = var.accounts.analyst.email
}

resource "google_project_iam_member" "analyst_asks" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = var.accounts.analyst.member
}

resource "google_bigquery_dataset_access" "analysts_read" {
  for_each = var.analysts

  project    = var.project
  dataset_id = var.views_dataset
  role       = "roles/bigquery.dataViewer"
  iam_member = each.value
}

resource "google_project_iam_member" "analysts_ask" {
  for_each = var.analysts

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = each.value
}

# Here and not with each site or with the tables' rules: who is there twice keeps the right when one of them goes.
resource "google_project_iam_member" "site_analysts_ask" {
  for_each = setsubtract(var.site_analysts, var.analysts)

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = each.value
}
