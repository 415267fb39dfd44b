# Who may read views needs no right on tables: views have a dataset of their own, which may read the tables' dataset.
locals {
  names = {
    tables = "${var.dataset}.${var.table_prefix}"
    views  = "${var.views_dataset}.${var.table_prefix}"
  }
}

resource "google_bigquery_dataset" "tables" {
  project                    = var.project
  dataset_id                 = var.dataset
  description                = "What gateways sent, as it came: versioned tables, for the pipeline"
  location                   = var.location
  labels                     = var.labels
  delete_contents_on_destroy = false

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  lifecycle {
    prevent_destroy = true
    # the entries below, those of `access`, and those of tinybeam sql apply
    ignore_changes = [access]
  }
}

resource "google_bigquery_dataset" "views" {
  project                    = var.project
  dataset_id                 = var.views_dataset
  description                = "What analysts and dashboards ask: views and functions"
  location                   = var.location
  labels                     = var.labels
  delete_contents_on_destroy = false

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [access]
  }
}

resource "google_bigquery_dataset_access" "views" {
  project    = var.project
  dataset_id = google_bigquery_dataset.tables.dataset_id

  dataset {
    dataset {
      project_id = var.project
      dataset_id = google_bigquery_dataset.views.dataset_id
    }
    target_types = ["VIEWS"]
  }
}

# An entry for each function that reads a table: BigQuery voids it when the function is replaced, so it is made anew with it.
resource "google_bigquery_dataset_access" "functions" {
  for_each = { for name, object in local.objects : name => object if endswith(object.kind, "function") && strcontains(object.text, "{{tables}}") }

  project    = var.project
  dataset_id = google_bigquery_dataset.tables.dataset_id

  routine {
    project_id = var.project
    dataset_id = google_bigquery_dataset.views.dataset_id
    routine_id = "${var.table_prefix}${each.key}"
  }

  lifecycle {
    replace_triggered_by = [terraform_data.functions[each.key]]
  }

  depends_on = [module.level_0, module.level_1, module.level_2, module.level_3, module.level_4, module.level_5, module.level_6, module.level_7]
}

resource "terraform_data" "functions" {
  for_each = { for name, object in local.objects : name => object if endswith(object.kind, "function") }

  input = sha256(jsonencode(each.value))
}
