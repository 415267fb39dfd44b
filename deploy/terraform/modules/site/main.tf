# What the analysts of one site may ask: a dataset of its own, whose views show the rows of that site and no positions.
# They read the views of all sites, which nobody who asks here may.
locals {
  dataset = "${var.views_dataset}_${replace(var.site, "/[^A-Za-z0-9_]/", "_")}"
  views = toset([
    "advice", "advice_agreement", "alerts", "alerts_open", "counters", "device_health", "devices", "events", "heartbeats", "inferences",
    "irrigation", "irrigation_today", "labels", "samples", "shadow_inferences", "site_windows", "sites", "soil_outcomes", "states",
    "summaries",
  ])
  hidden = { sites = "except (latitude, longitude)" }
}

resource "google_bigquery_dataset" "site" {
  project     = var.project
  dataset_id  = local.dataset
  description = "What the analysts of ${var.site} ask: its rows, without positions"
  location    = var.location
  labels      = var.labels

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  lifecycle {
    # the entries below
    ignore_changes = [access]
  }
}

resource "google_bigquery_table" "view" {
  for_each = local.views

  project     = var.project
  dataset_id  = google_bigquery_dataset.site.dataset_id
  table_id    = "${var.table_prefix}${each.value}"
  description = "${each.value} of ${var.site}"
  labels      = var.labels
  # a view holds no rows
  deletion_protection = false

  view {
    query = templatefile("${path.module}/view.sql", {
      hidden = lookup(local.hidden, each.value, "")
      view   = "${var.views_dataset}.${var.table_prefix}${each.value}"
      site   = var.site
    })
    use_legacy_sql = false
  }
}

resource "google_bigquery_dataset_access" "views" {
  project    = var.project
  dataset_id = var.views_dataset

  dataset {
    dataset {
      project_id = var.project
      dataset_id = google_bigquery_dataset.site.dataset_id
    }
    target_types = ["VIEWS"]
  }
}

resource "google_bigquery_dataset_access" "site_analysts_read" {
  for_each = var.analysts

  project    = var.project
  dataset_id = google_bigquery_dataset.site.dataset_id
  role       = "roles/bigquery.dataViewer"
  iam_member = each.value
}
